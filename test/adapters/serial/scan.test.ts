import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProfileEar } from "../../../adapters/serial/listen-scan.js";
import type { SerialPoint } from "../../../adapters/serial/options.js";
import { findPorts } from "../../../adapters/serial/ports.js";
import { portFinding } from "../../../adapters/serial/scan.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { ProfileCandidate } from "../../../src/field/tool.js";
import { FakeClock } from "../../fakes/clock.js";
import { latin, serialPoint } from "./serial-rig.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "causeway-ports-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, content = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

function folder(path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

describe("scan serial", () => {
  it("tells what the system knows of each port, whatever it is called", async () => {
    const usb = "sys/devices/usb1/1-1";
    file(`${usb}/idVendor`, "0403\n");
    file(`${usb}/idProduct`, "6001\n");
    file(`${usb}/manufacturer`, "FTDI\n");
    file(`${usb}/product`, "FT232R USB UART\n");
    file(`${usb}/serial`, "A50285BI\n");
    link(`${usb}/1-1:1.0/ttyUSB0/driver`, "../../../../../bus/usb-serial/drivers/ftdi_sio");
    link("sys/class/tty/ttyUSB0/device", folder(`${usb}/1-1:1.0/ttyUSB0`));
    link("dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0", "../../ttyUSB0");
    link("dev/serial/by-path/pci-0000-usb-0:1:1.0-port0", "../../ttyUSB0");
    file("dev/ttyUSB0");
    file("proc/812/comm", "ModemManager\n");
    link("proc/812/fd/3", "/dev/ttyUSB0");
    link("proc/812/fd/4", "/dev/ttyUSB0");
    link("proc/812/fd/5", "/dev/null");
    // A port of a system on a chip, below the layers of newer kernels.
    link("sys/devices/soc/30860000.serial/driver", "../../../bus/platform/drivers/imx-uart");
    link("sys/devices/soc/30860000.serial/s:0/driver", "../../../../bus/serial-base/drivers/ctrl");
    link("sys/devices/soc/30860000.serial/s:0/s:0.0/driver", "../../../../../bus/serial-base/drivers/port");
    link("sys/class/tty/ttymxc0/device", folder("sys/devices/soc/30860000.serial/s:0/s:0.0"));
    file("sys/class/tty/ttymxc0/type", "62\n");
    file("dev/ttymxc0");
    // Only a place for a port, a console without hardware, and a port whose device file is gone.
    link("sys/class/tty/ttyS3/device", folder("sys/devices/serial8250"));
    file("sys/class/tty/ttyS3/type", "0\n");
    folder("sys/class/tty/tty1");
    link("sys/class/tty/ttyACM0/device", folder("sys/devices/usb1/gone"));

    expect((await findPorts(root)).map(portFinding)).toEqual([
      expect.objectContaining({ port: "/dev/ttyACM0", note: "there is no device file" }),
      {
        port: "/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0",
        device: "/dev/ttyUSB0",
        driver: "ftdi_sio",
        usb: "0403:6001",
        product: "FTDI FT232R USB UART",
        serialNumber: "A50285BI",
        heldBy: ["812 ModemManager"],
        note: undefined,
      },
      expect.objectContaining({ port: "/dev/ttymxc0", driver: "imx-uart", usb: undefined, heldBy: undefined }),
    ]);
  });

  it("finds nothing where there is nothing", async () => {
    expect(await findPorts(root)).toEqual([]);
  });
});

describe("listening for profiles", () => {
  const candidate = (
    protocol: object,
    points: ProfileCandidate<SerialPoint>["points"],
  ): ProfileCandidate<SerialPoint> => ({
    name: "p",
    title: "p",
    traits: { protocol },
    points,
    probe: [],
    plausible: [],
  });
  const SDS = candidate(
    {
      framing: { start: fromHex("AA C0"), length: 10 },
      checksum: { type: "sum8", from: 2, to: 8, at: 8 },
      frames: new Map([["m", {}]]),
    },
    [serialPoint("pm25", { at: { offset: 2 }, type: "uint16" })],
  );
  const LINES = candidate(
    {
      framing: { end: latin("\n") },
      frames: new Map([
        ["m", {}],
        ["q", { request: { text: "x" } }],
      ]),
    },
    [
      serialPoint("t", { at: { frame: "m", match: "^T=(\\d+)" }, type: "number" }),
      serialPoint("q", { at: { frame: "q", match: "(.*)" } }),
    ],
  );

  it.each<[string, ProfileCandidate<SerialPoint>, Uint8Array, number, number]>([
    ["its frames", SDS, fromHex("00 AA C0 D4 04 3A 0A A1 60 1D AB"), 1, 1],
    ["damaged frames", SDS, fromHex("AA C0 D4 04 3A 0A A1 60 1E AB"), 0, 0],
    ["lines of its kind", LINES, latin("T=21\nT=22\n"), 2, 1],
    ["other lines", LINES, latin("hello\nworld\n"), 0, 0],
    ["a session's profile", candidate({ session: "iec62056-21" }, []), latin("T=21\n"), 0, 0],
  ])("a profile hears %s", (_, profile, bytes, frames, good) => {
    const ear = new ProfileEar(profile, new FakeClock());
    ear.push(bytes);
    expect(ear.heard(9600)).toMatchObject({ frames, good, baudRate: 9600 });
  });
});
