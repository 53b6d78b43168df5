/** What a caller should do about it: nothing will help, try at once, try after a pause, a person must act. */
export type Retry = "never" | "now" | "later" | "operator";

interface ErrorEntry {
  /** CoAP response code for a request that ends this way, as `class.detail`. */
  readonly coap: string;
  readonly retry: Retry;
  readonly what: string;
  readonly remedy: string;
}

/** The one table of errors: `causeway explain CODE` prints it. Codes are stable; wording may change. */
export const ERROR_TABLE = {
  CONFIG_UNREADABLE: entry(
    "5.00",
    "operator",
    "A configuration or mapping file cannot be read.",
    "Check the path and that the service user may read the file.",
  ),
  CONFIG_INVALID: entry(
    "5.00",
    "operator",
    "A configuration or mapping file has mistakes.",
    "Run 'causeway check' and mend each line it prints.",
  ),
  CONFIG_SECRET_MISSING: entry(
    "5.00",
    "operator",
    "A secret that the configuration refers to is not there.",
    "Provide the credential (LoadCredential= in the unit), environment variable or file that it names.",
  ),
  USAGE: entry("5.00", "operator", "The command line is not understood.", "Run the command with --help."),

  ADAPTER_UNKNOWN: entry(
    "5.00",
    "operator",
    "No adapter of this name is installed.",
    "Check the 'adapter' key for a spelling mistake, or install the package that provides it.",
  ),
  LINK_CLOSED: entry(
    "5.00",
    "later",
    "The connection to the field is closed.",
    "It is reopened by itself; look at the log for the reason.",
  ),
  LINK_NOT_FOUND: entry(
    "5.00",
    "later",
    "The serial port or host does not exist.",
    "Serial: check the plug, and name ports as in /dev/serial/by-id/…, not ttyUSB numbers. Network: check name and route.",
  ),
  LINK_PERMISSION: entry(
    "5.00",
    "operator",
    "The serial port may not be opened by this user.",
    "Add the user to the group that owns the port (usermod -aG dialout USER), and log in anew.",
  ),
  LINK_BUSY: entry(
    "5.00",
    "later",
    "Another program holds the serial port.",
    "Stop the other program: the gateway itself (systemctl stop causeway), ModemManager, getty and the like.",
  ),
  LINK_REFUSED: entry(
    "5.00",
    "later",
    "The host refuses the connection.",
    "Check address and port, and that the device allows one more client.",
  ),
  LINK_CERTIFICATE: entry(
    "5.00",
    "operator",
    "One side of a TLS link does not trust the other's certificate.",
    "Check 'ca', 'cert', 'key' and 'serverName' of the link, and the clocks of both sides.",
  ),
  LINK_NO_DBUS: entry(
    "5.00",
    "later",
    "The system's D-Bus, through which Bluetooth is reached, cannot be reached.",
    "Install and start D-Bus (apt install dbus); in a container give it /run/dbus/system_bus_socket.",
  ),
  LINK_NO_BLUETOOTHD: entry(
    "5.00",
    "later",
    "The Bluetooth service (bluetoothd) does not run.",
    "Install and start it: apt install bluez, systemctl enable --now bluetooth.",
  ),
  LINK_NO_CONTROLLER: entry(
    "5.00",
    "later",
    "The Bluetooth controller is not there.",
    "Plug it in, or name another one as 'controller'; 'bluetoothctl list' shows those that are there.",
  ),
  LINK_CONTROLLER_OFF: entry(
    "5.00",
    "operator",
    "The Bluetooth controller is switched off or blocked.",
    "Run 'rfkill unblock bluetooth' and 'bluetoothctl power on'.",
  ),
  LINK_BLUETOOTH_DENIED: entry(
    "5.00",
    "operator",
    "This user may not use Bluetooth.",
    "Add the service user to the group 'bluetooth'; /etc/dbus-1/system.d/bluetooth.conf says who may.",
  ),
  LINK_FAILED: entry(
    "5.00",
    "later",
    "The connection to the field failed.",
    "Check wiring and network; it is retried by itself.",
  ),
  LINK_UNAUTHORIZED: entry(
    "5.00",
    "operator",
    "The broker or host refuses the user, or what the user asks for.",
    "Check user name and password of the link, and what the broker's access list allows; it is retried by itself.",
  ),
  FIELD_TIMEOUT: entry(
    "5.00",
    "later",
    "The device did not answer in time.",
    "Check power, wiring, unit address, baud rate and parity.",
  ),
  FIELD_GARBLED: entry(
    "5.00",
    "later",
    "The answer was damaged or not for this request (checksum, length, address).",
    "Check termination, cable length, baud rate, and that no second master is on the bus.",
  ),
  FIELD_EXCEPTION: entry(
    "4.00",
    "never",
    "The device refused the request.",
    "Compare address, function and value with the device's manual.",
  ),
  FIELD_BUSY: entry("5.03", "later", "The device is busy.", "Wait; it is retried by itself."),
  FIELD_WRITE_EXPIRED: entry(
    "5.04",
    "later",
    "The write waited too long and was not carried out.",
    "The bus was overloaded or the device away; send the write again.",
  ),
  FIELD_NOT_CONFIRMED: entry(
    "5.00",
    "later",
    "The device acknowledged the write but reads back another value.",
    "The device may limit the value or be under local control.",
  ),
  FIELD_NOT_WRITABLE: entry(
    "4.05",
    "never",
    "The point cannot be written.",
    "Mark it 'access: rw' in the mapping if the device allows it.",
  ),
  FIELD_QUEUE_FULL: entry(
    "5.03",
    "later",
    "Too much is waiting for this bus.",
    "Poll less often, or spread the devices over more buses.",
  ),
  VALUE_INVALID: entry(
    "4.00",
    "never",
    "The value does not fit the type, range or enumeration.",
    "Send a value that the model and the mapping allow.",
  ),

  COAP_MALFORMED: entry(
    "4.00",
    "never",
    "A CoAP message breaks the rules of RFC 7252.",
    "The peer's message is at fault.",
  ),
  COAP_TIMEOUT: entry(
    "5.04",
    "later",
    "The peer did not acknowledge within MAX_TRANSMIT_WAIT.",
    "Check the network and that the server runs.",
  ),
  COAP_RESET: entry("5.00", "later", "The peer answered with a Reset.", "The peer does not know this exchange."),
  COAP_UNREACHABLE: entry(
    "5.00",
    "later",
    "Nothing listens at the peer's address (ICMP unreachable).",
    "Check the server's address and port and that it runs.",
  ),
  COAP_SOCKET: entry(
    "5.00",
    "later",
    "The socket to the peer cannot be opened.",
    "Check that the name resolves, the network is up and the local port is free.",
  ),
  COAP_CLOSED: entry("5.00", "later", "The CoAP endpoint is closed.", "It is opened again with the next registration."),
  COAP_QUEUE_FULL: entry(
    "5.03",
    "later",
    "Too many requests and notifications wait for this peer.",
    "The peer acknowledges too slowly; observe less or with longer pmin.",
  ),
  COAP_BLOCK_FAILED: entry(
    "4.08",
    "later",
    "A block-wise transfer was broken off.",
    "It starts again with the next request.",
  ),

  LWM2M_BAD_REQUEST: entry(
    "4.00",
    "never",
    "The request's content is wrong.",
    "The explanation names the path at fault.",
  ),
  LWM2M_UNAUTHORIZED: entry(
    "4.01",
    "never",
    "The server has no right to do this.",
    "Check the access control objects.",
  ),
  LWM2M_BAD_OPTION: entry(
    "4.02",
    "never",
    "The request has a CoAP option, query or path that cannot be understood.",
    "The server's request is at fault.",
  ),
  LWM2M_NOT_FOUND: entry(
    "4.04",
    "never",
    "The path does not exist.",
    "Read the parent or Discover to see what there is.",
  ),
  LWM2M_NOT_ALLOWED: entry(
    "4.05",
    "never",
    "The operation is not allowed on this path.",
    "The object's definition says which operations a resource has.",
  ),
  LWM2M_NOT_ACCEPTABLE: entry(
    "4.06",
    "never",
    "None of the accepted content formats fits.",
    "Use one of the formats that the registration advertises (ct).",
  ),
  LWM2M_UNSUPPORTED_FORMAT: entry(
    "4.15",
    "never",
    "The payload's content format is not supported here.",
    "Use one of the formats that the registration advertises (ct).",
  ),
  LWM2M_DECODE: entry(
    "4.00",
    "never",
    "The payload cannot be decoded.",
    "The explanation names the place in the payload.",
  ),
  LWM2M_MODEL: entry(
    "5.00",
    "operator",
    "An object definition cannot be used.",
    "Check the XML file that the message names.",
  ),
  LWM2M_REFUSED: entry(
    "5.00",
    "later",
    "The server refused the registration.",
    "Check endpoint name, credentials and the server's log.",
  ),
  LWM2M_NOT_REGISTERED: entry(
    "5.00",
    "later",
    "No server is registered.",
    "Samples are kept in the outbox until one is.",
  ),
  LWM2M_SEND_UNAVAILABLE: entry(
    "5.00",
    "later",
    "The server does not take Send: it has muted it (/1/x/23) or speaks LwM2M 1.0.",
    "Write false to Mute Send, or set 'history: none' for this server.",
  ),

  LOCAL_UNAVAILABLE: entry(
    "5.00",
    "operator",
    "The status API cannot listen at its address.",
    "Another program has the port, or the address is not of this host: change 'local.listen'.",
  ),
  LOCAL_UNREACHABLE: entry(
    "5.00",
    "operator",
    "No gateway answers at the address of the status API.",
    "Start the gateway with a 'local' section in its configuration, or name the address with --url.",
  ),
  OUTBOX_UNAVAILABLE: entry(
    "5.00",
    "operator",
    "The outbox database cannot be opened or written.",
    "Check free space and permissions of the state directory.",
  ),
  OUTBOX_CORRUPT: entry(
    "5.00",
    "operator",
    "The outbox database is damaged.",
    "It was set aside with the suffix .corrupt-TIME and a new one begun.",
  ),
  STATE_INVALID: entry(
    "5.00",
    "never",
    "Something that was kept over a restart cannot be understood.",
    "It is left out, and the gateway goes on without it; nothing need be done.",
  ),
  STATE_IN_USE: entry(
    "5.00",
    "operator",
    "Another gateway uses the folder of the state.",
    "Stop the other one, or give each its own folder ('gateway.state').",
  ),
  STATE_NEWER: entry(
    "5.00",
    "operator",
    "A later version of Causeway has written the state database.",
    "Install that version again; or move the file away to begin anew, without what is buffered in it.",
  ),
  INTERNAL: entry("5.00", "never", "A defect in Causeway.", "Please report it with the log lines around it."),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

function entry(coap: string, retry: Retry, what: string, remedy: string): ErrorEntry {
  return { coap, retry, what, remedy };
}

/** An adapter may bring a copy of this module along: its errors are the same to everybody. */
const BRAND = Symbol.for("causeway.error");

/** The only error that leaves a module on purpose. `message` names the place; the table has the remedy. */
export class CausewayError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  /** Facts for the log, e.g. the Modbus exception code. Never secrets. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; facts?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CausewayError";
    this.code = code;
    this.facts = options.facts ?? {};
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  get retry(): Retry {
    return ERROR_TABLE[this.code].retry;
  }

  get coapCode(): string {
    return ERROR_TABLE[this.code].coap;
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}

/** Whatever a library threw, as an Error: some throw plain objects. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (typeof thrown === "object" && thrown !== null && "message" in thrown) return new Error(String(thrown.message));
  return new Error(String(thrown));
}
