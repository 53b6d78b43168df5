export const MODBUS_DEVICES = 100;
export const MODBUS_REGISTERS = 60;
/** Until code is compiled. */
const WARM_UP_READINGS = 600_000;

/** Counts readings; after so many it prints what each second of CPU time gave, and ends the process. */
export function reportCpu(wanted: number): (readings: number) => void {
  let count = 0;
  let began: { readonly cpu: NodeJS.CpuUsage; readonly count: number; readonly atMs: number } | undefined;
  return (readings) => {
    count += readings;
    if (began === undefined) {
      if (count >= WARM_UP_READINGS) began = { cpu: process.cpuUsage(), count, atMs: performance.now() };
      return;
    }
    if (count - began.count < wanted) return;
    const { user, system } = process.cpuUsage(began.cpu);
    const seconds = (performance.now() - began.atMs) / 1000;
    console.log(JSON.stringify({ readings: count - began.count, cpuSeconds: (user + system) / 1e6, seconds }));
    process.exit(0);
  };
}
