/* A Modbus slave by libmodbus: unit 1, 32 of each table, each register holding its number.
   Arguments: "tcp" PORT or "rtu" PATH. Prints "ready" when it listens. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int is_tcp = strcmp(argv[1], "tcp") == 0;
  modbus_t *context = is_tcp ? modbus_new_tcp("127.0.0.1", atoi(argv[2])) : modbus_new_rtu(argv[2], 115200, 'N', 8, 1);
  modbus_mapping_t *tables = modbus_mapping_new(32, 32, 32, 32);
  if (context == NULL || tables == NULL) return 1;
  modbus_set_slave(context, 1);
  for (int i = 0; i < 32; i++) {
    tables->tab_bits[i] = i & 1;
    tables->tab_input_bits[i] = !(i & 1);
    tables->tab_registers[i] = i;
    tables->tab_input_registers[i] = 1000 + i;
  }
  int listener = is_tcp ? modbus_tcp_listen(context, 1) : modbus_connect(context);
  if (listener == -1) return 1;
  puts("ready");
  fflush(stdout);
  if (is_tcp && modbus_tcp_accept(context, &listener) == -1) return 1;
  unsigned char request[MODBUS_TCP_MAX_ADU_LENGTH];
  for (;;) {
    int length = modbus_receive(context, request);
    if (length > 0) modbus_reply(context, request, length, tables);
    else if (length == -1 && is_tcp) return 0;
  }
}
