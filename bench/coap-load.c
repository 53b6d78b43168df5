/*
 * coap-load: asks a CoAP server for one resource, as fast as it answers, and says how many answers came.
 *
 *   coap-load SERVER_PORT PORT_STEP LOCAL_PORT SOCKETS WINDOW REQUESTS PATH [ACCEPT [FORMAT PAYLOAD_FILE]]
 *
 * Socket i is bound to LOCAL_PORT + i and connected to SERVER_PORT + i * PORT_STEP on loopback, so that a server with a
 * connected socket per peer (step 1) and one with a single socket (step 0) can be asked the same way. WINDOW confirmable
 * GETs, or FETCHes with the payload, are on their way at any time, spread over the sockets. Several sockets, because each has 65,536 message ids.
 * Answers are matched by token; what is not answered within 2 s is sent again. Prints one line of JSON.
 * Linux, C, no dependencies.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_SOCKETS 256
#define MAX_WINDOW 4096
#define MAX_DATAGRAM 2048
#define RESEND_NS 2000000000ull
#define GIVE_UP_NS 30000000000ull

struct slot {
    int socket_index;
    uint32_t sequence;
    uint64_t sent_ns;
    size_t length;
    uint8_t datagram[MAX_DATAGRAM];
};

static int sockets[MAX_SOCKETS];
static uint16_t message_ids[MAX_SOCKETS];
static struct slot slots[MAX_WINDOW];
/* The options, and with a payload the marker and the payload. */
static uint8_t content[MAX_DATAGRAM - 10];
static size_t content_length;
static int last_option;
static uint8_t method = 1; /* GET */
static uint64_t started, answered, resent, strays, failures;
static size_t last_payload_bytes;

static uint64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "coap-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void append(const void *bytes, size_t length) {
    if (content_length + length > sizeof content) {
        fprintf(stderr, "coap-load: request too long\n");
        exit(1);
    }
    memcpy(content + content_length, bytes, length);
    content_length += length;
}

/* Options in ascending order, deltas and lengths up to 12. */
static void encode_option(int number, const void *value, size_t length) {
    if (length > 12) {
        fprintf(stderr, "coap-load: path too long\n");
        exit(1);
    }
    uint8_t head = (uint8_t)((number - last_option) << 4 | (int)length);
    last_option = number;
    append(&head, 1);
    append(value, length);
}

static void encode_path(const char *path) {
    while (*path) {
        while (*path == '/') path++;
        size_t n = strcspn(path, "/");
        if (n == 0) break;
        encode_option(11, path, n);
        path += n;
    }
}

static void encode_uint(int number, unsigned value) {
    uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
    size_t length = value == 0 ? 0 : value < 256 ? 1 : 2;
    encode_option(number, bytes + 2 - length, length);
}

static void encode_payload(const char *file) {
    uint8_t bytes[MAX_DATAGRAM];
    FILE *stream = fopen(file, "rb");
    if (stream == NULL) fail("payload");
    size_t length = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    append("\xff", 1);
    append(bytes, length);
    method = 5; /* FETCH */
}

static void transmit(struct slot *slot) {
    slot->sent_ns = now_ns();
    if (send(sockets[slot->socket_index], slot->datagram, slot->length, 0) < 0 && errno != ECONNREFUSED &&
        errno != EAGAIN && errno != ENOBUFS) fail("send");
}

static void ask(uint32_t index) {
    struct slot *slot = &slots[index];
    uint16_t id = message_ids[slot->socket_index]++;
    uint32_t sequence = ++slot->sequence;
    uint8_t *d = slot->datagram;
    d[0] = 0x40 | 6; /* version 1, CON, 6 bytes of token */
    d[1] = method;
    d[2] = (uint8_t)(id >> 8);
    d[3] = (uint8_t)id;
    d[4] = (uint8_t)(index >> 8);
    d[5] = (uint8_t)index;
    memcpy(d + 6, &sequence, 4);
    memcpy(d + 10, content, content_length);
    slot->length = 10 + content_length;
    started++;
    transmit(slot);
}

static void take(const uint8_t *d, size_t length, uint64_t requests, uint32_t window) {
    if (length < 10 || (d[0] & 15) != 6) { strays++; return; }
    uint32_t index = (uint32_t)(d[4] << 8 | d[5]), sequence;
    memcpy(&sequence, d + 6, 4);
    if (index >= window || slots[index].sequence != sequence) { strays++; return; }
    /* An echo gives the request back; everything else has to be 2.05. */
    if (d[1] != method && d[1] != 0x45) failures++;
    last_payload_bytes = length;
    answered++;
    slots[index].sequence++; /* a second answer is a stray */
    if (started < requests) ask(index);
    else slots[index].length = 0;
}

int main(int argc, char **argv) {
    if (argc != 8 && argc != 9 && argc != 11) {
        fprintf(stderr, "usage: coap-load SERVER_PORT PORT_STEP LOCAL_PORT SOCKETS WINDOW REQUESTS PATH [ACCEPT [FORMAT PAYLOAD_FILE]]\n");
        return 2;
    }
    int server_port = atoi(argv[1]), step = atoi(argv[2]), local_port = atoi(argv[3]), count = atoi(argv[4]);
    uint32_t window = (uint32_t)atoi(argv[5]);
    uint64_t requests = strtoull(argv[6], NULL, 10);
    if (count < 1 || count > MAX_SOCKETS || window < 1 || window > MAX_WINDOW) {
        fprintf(stderr, "coap-load: too many sockets or too large a window\n");
        return 2;
    }
    encode_path(argv[7]);
    if (argc == 11) encode_uint(12, (unsigned)atoi(argv[9]));
    if (argc >= 9) encode_uint(17, (unsigned)atoi(argv[8]));
    if (argc == 11) encode_payload(argv[10]);
    int epoll = epoll_create1(0);
    if (epoll < 0) fail("epoll");
    srand((unsigned)now_ns());
    for (int i = 0; i < count; i++) {
        struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(local_port + i)) }, peer = local;
        local.sin_addr.s_addr = peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        peer.sin_port = htons((uint16_t)(server_port + i * step));
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (sockets[i] < 0 || bind(sockets[i], (struct sockaddr *)&local, sizeof local) < 0) fail("bind");
        if (connect(sockets[i], (struct sockaddr *)&peer, sizeof peer) < 0) fail("connect");
        struct epoll_event event = { .events = EPOLLIN, .data.fd = sockets[i] };
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event) < 0) fail("epoll_ctl");
        message_ids[i] = (uint16_t)rand();
    }
    uint64_t begin = now_ns(), last_answer = begin, next_check = begin + RESEND_NS / 4;
    uint32_t run = (uint32_t)rand();
    for (uint32_t i = 0; i < window; i++) {
        slots[i].socket_index = (int)(i % (uint32_t)count);
        slots[i].sequence = run; /* tokens of an earlier run are strays */
        if (started < requests) ask(i);
    }
    while (answered < requests) {
        struct epoll_event events[64];
        /* Never sleeps: waking it would be booked to the server, and most of all to a slow one. */
        int ready = epoll_wait(epoll, events, 64, 0);
        uint64_t before = answered;
        for (int e = 0; e < ready; e++) {
            uint8_t datagram[MAX_DATAGRAM];
            ssize_t n;
            while ((n = recv(events[e].data.fd, datagram, sizeof datagram, 0)) >= 0)
                take(datagram, (size_t)n, requests, window);
        }
        uint64_t now = now_ns();
        if (answered > before) last_answer = now;
        if (now - last_answer > GIVE_UP_NS) break;
        if (now < next_check) continue;
        next_check = now + RESEND_NS / 4;
        for (uint32_t i = 0; i < window; i++)
            if (slots[i].length > 0 && now - slots[i].sent_ns > RESEND_NS) {
                resent++;
                transmit(&slots[i]);
            }
    }
    printf("{\"answered\":%llu,\"seconds\":%.6f,\"resent\":%llu,\"strays\":%llu,\"failures\":%llu,\"datagramBytes\":%zu}\n",
           (unsigned long long)answered, (double)(now_ns() - begin) / 1e9, (unsigned long long)resent,
           (unsigned long long)strays, (unsigned long long)failures, last_payload_bytes);
    return answered == requests ? 0 : 1;
}
