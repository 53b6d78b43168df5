import { read } from "node:fs";
import { promisify } from "node:util";
import {
  BindingsError,
  LinuxBinding,
  type LinuxBindingInterface,
  type LinuxOpenOptions,
  type LinuxPortBinding,
} from "@serialport/bindings-cpp";
import { SerialPortStream } from "@serialport/stream";

const readFile = promisify(read);

/** A port that is not open yet. */
export function serialPort(options: LinuxOpenOptions): SerialPortStream {
  return new SerialPortStream({ ...options, binding: BINDING, autoOpen: false, lock: true });
}

// The driver's own read takes the end of a port that was pulled out for "nothing yet" and reads again, for ever and at
// full speed; only a port that waits at that moment is noticed as gone.
const BINDING: LinuxBindingInterface = {
  list: () => LinuxBinding.list(),
  async open(options) {
    const port = await LinuxBinding.open(options);
    port.read = (buffer, offset, length) => readOrEnd(port, buffer, offset, length);
    return port;
  },
};

async function readOrEnd(port: LinuxPortBinding, buffer: Buffer, offset: number, length: number) {
  for (;;) {
    const bytesRead = await readFile(openFile(port), buffer, offset, length, null).then(
      (result) => result.bytesRead,
      (error: unknown) => {
        if (!isNothingYet(error)) throw error;
      },
    );
    if (bytesRead === 0) throw new Error("the port was hung up");
    if (bytesRead !== undefined) return { buffer, bytesRead };
    await readable(port);
  }
}

function openFile({ fd }: LinuxPortBinding): number {
  if (fd === null) throw new BindingsError("the port is closed", { canceled: true });
  return fd;
}

const isNothingYet = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EINTR");

function readable(port: LinuxPortBinding): Promise<void> {
  // The driver would poll a file that is no longer the port's, and crash.
  openFile(port);
  return new Promise((resolve, reject) => {
    port.poller.once("readable", (error) => (error === null ? resolve() : reject(error)));
  });
}
