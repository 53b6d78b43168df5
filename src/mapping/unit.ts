/** `value in the second unit = value in the first · scale + offset`. */
export interface Conversion {
  readonly scale: number;
  readonly offset: number;
}

type Unit = number | readonly [scale: number, offset: number];

/**
 * What one of each unit is in the first of its line, by the names of SenML (RFC 8428, RFC 8798) and those that devices
 * use. Water columns and kgf are conventional (9.80665 m/s², 4 °C).
 */
const QUANTITIES: readonly Readonly<Record<string, Unit>>[] = [
  {
    Pa: 1,
    hPa: 100,
    kPa: 1e3,
    MPa: 1e6,
    bar: 1e5,
    mbar: 100,
    psi: 6894.757293168361,
    "kgf/cm2": 98066.5,
    atm: 101325,
    mmHg: 133.322387415,
    mH2O: 9806.65,
    cmH2O: 98.0665,
    mmH2O: 9.80665,
    inH2O: 249.08891,
    ftH2O: 2989.06692,
  },
  { m: 1, dm: 0.1, cm: 0.01, mm: 0.001, km: 1000, in: 0.0254, ft: 0.3048 },
  { Cel: 1, K: [1, -273.15], degF: [5 / 9, -160 / 9] },
  { W: 1, mW: 0.001, kW: 1e3, MW: 1e6 },
  { Wh: 1, kWh: 1e3, MWh: 1e6, GWh: 1e9, J: 1 / 3600, kJ: 1 / 3.6, MJ: 1e3 / 3.6, GJ: 1e6 / 3.6 },
  { VA: 1, kVA: 1e3 },
  { var: 1, kvar: 1e3 },
  { VAh: 1, kVAh: 1e3 },
  { varh: 1, kvarh: 1e3 },
  { V: 1, mV: 0.001, kV: 1e3 },
  { A: 1, mA: 0.001, kA: 1e3 },
  { Hz: 1, kHz: 1e3, MHz: 1e6, "1/min": 1 / 60 },
  { m3: 1, l: 0.001, ml: 1e-6 },
  { "m3/s": 1, "m3/h": 1 / 3600, "l/s": 0.001, "l/min": 1 / 60_000, "l/h": 1 / 3_600_000 },
  { kg: 1, g: 0.001, mg: 1e-6, t: 1000, lb: 0.45359237 },
  { s: 1, ms: 0.001, min: 60, h: 3600, d: 86_400 },
  { "1": 1, "/": 1, "%": 0.01, "‰": 0.001, ppm: 1e-6 },
];

export const KNOWN_UNITS: readonly string[] = QUANTITIES.flatMap((quantity) => Object.keys(quantity));

/** Undefined between units that do not measure the same. */
export function conversion(from: string, to: string): Conversion | undefined {
  if (from === to) return { scale: 1, offset: 0 };
  const quantity = QUANTITIES.find((units) => Object.hasOwn(units, from) && Object.hasOwn(units, to));
  const [source, target] = [quantity?.[from], quantity?.[to]];
  if (source === undefined || target === undefined) return undefined;
  const [[scale, offset], [ownScale, ownOffset]] = [linear(source), linear(target)];
  return { scale: scale / ownScale, offset: (offset - ownOffset) / ownScale };
}

function linear(unit: Unit): readonly [scale: number, offset: number] {
  return typeof unit === "number" ? [unit, 0] : unit;
}
