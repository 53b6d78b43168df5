// The built gateway against the real bluetoothd, with 20 simulated devices. Needs a machine of its own: see CONTRIBUTING.md.
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { AIR, peripheralSpecs, speak } from "./air.js";
import { GatewayProcess } from "./gateway.js";
import { VhciController } from "./vhci-controller.js";

const LIMIT_MS = 120_000;
const LOOK_MS = 250;
const STEADY_MS = 20_000;
const OFF_MS = 5000;

const figures: Record<string, number | string> = {};
await execute("modprobe", "hci_vhci");
await execute("systemctl", "start", "bluetooth");
const controller = new VhciController(peripheralSpecs());
const talk = speak(controller);
const gateway = new GatewayProcess();
let code = 1;
try {
  await run();
  code = 0;
} catch (error) {
  console.error("FAILED", error);
  console.error(JSON.stringify(await gateway.status(), undefined, 1));
} finally {
  figures["exit code of the gateway"] = String(await gateway.stop());
  clearInterval(talk);
  controller.close();
  console.log(JSON.stringify(figures, undefined, 2));
}
process.exit(code);

async function run(): Promise<void> {
  await until(async () => (await execute("bluetoothctl", "list")).includes("02:00:00:00:00:01"));
  await execute("bluetoothctl", "power", "on");
  await measured("all 20 devices known, s", () => allGoodSince(Date.now()));
  await steady();

  for (const peripheral of controller.peripherals) controller.drop(peripheral);
  await measured("good again after every connection was lost, s", () => allGoodSince(Date.now()));

  const absent = controller.peripherals.at(-1);
  if (absent !== undefined) {
    absent.isPresent = false;
    controller.drop(absent);
    await measured("absent device told, s", () => until(async () => (await qualityOf(AIR.length - 1)) === "timeout"));
    await measured("others heard meanwhile, s", () => allGoodSince(Date.now(), 1));
    absent.isPresent = true;
    await measured("good again after it is back, s", () => allGoodSince(Date.now()));
  }

  await execute("systemctl", "restart", "bluetooth");
  await measured("good again after a restart of bluetoothd, s", () => allGoodSince(Date.now()));

  await execute("bluetoothctl", "power", "off");
  await until(async () => (await gateway.status())?.buses[0]?.fault?.code === "LINK_CONTROLLER_OFF");
  await sleep(OFF_MS);
  await execute("bluetoothctl", "power", "on");
  await measured("good again after the controller is on, s", () => allGoodSince(Date.now()));
  figures["links opened"] = (await gateway.status())?.buses[0]?.opened ?? 0;
  figures["memory at the end, MB"] = Math.round(gateway.usage().rssMb);
}

async function steady(): Promise<void> {
  const before = gateway.usage();
  await sleep(STEADY_MS);
  const after = gateway.usage();
  figures["processor share, %"] = Math.round((100_000 * (after.cpuS - before.cpuS)) / STEADY_MS);
  figures["memory, MB"] = Math.round(after.rssMb);
}

/** Every device but the last `without` has told all it tells since then. */
async function allGoodSince(sinceMs: number, without = 0): Promise<void> {
  await until(async () => {
    const devices = (await gateway.status())?.devices ?? [];
    const wanted = devices.slice(0, AIR.length - without);
    const points = wanted.flatMap((device) => device.points);
    return points.length > 0 && points.every(({ quality, atMs = 0 }) => quality === "good" && atMs >= sinceMs);
  });
}

async function qualityOf(device: number): Promise<string | undefined> {
  return (await gateway.status())?.devices[device]?.points[0]?.quality;
}

async function measured(name: string, work: () => Promise<void>): Promise<void> {
  const startedMs = Date.now();
  await work();
  figures[name] = Math.round((Date.now() - startedMs) / 100) / 10;
  console.log(`${name}: ${figures[name]}`);
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + LIMIT_MS; !(await happened()); await sleep(LOOK_MS)) {
    if (Date.now() > endMs) throw new Error(`not within ${LIMIT_MS / 1000} s: ${happened.toString()}`);
  }
}

/** The simulated controller lives in this process, which must not stop while a command waits for it. */
async function execute(command: string, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, options, { timeout: 20_000 });
  return stdout;
}
