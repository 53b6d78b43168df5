import { beforeAll, describe, expect, it } from "vitest";
import { modbus } from "../../adapters/modbus/index.js";
import { TABLES, type Table } from "../../adapters/modbus/options.js";
import { type AnyAdapter, defineAdapter } from "../../src/field/adapter.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Profile } from "../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";
import { modbusRig, valueAt } from "./modbus-rig.js";

type Registers = Readonly<Record<number, readonly number[]>>;

/**
 * Words as they stand in a device, by table and wire register, and what becomes of them; undefined where the device
 * says that it has no value. The words were made from the values apart from this program, or recorded (jsy-mk-333), or
 * are those of the maker (xy-md02, vaisala-hmd60).
 */
const EXAMPLES: readonly (readonly [
  profile: string,
  words: Partial<Readonly<Record<Table, Registers>>>,
  values: Readonly<Record<string, number | boolean | undefined>>,
])[] = [
  [
    "eastron-sdm220",
    {
      input: {
        0: [0x4367, 0x8000],
        6: [0x4020, 0x0000],
        12: [0xc40f, 0xe000],
        36: [0x4148, 0x0000],
        70: [0x4247, 0xeb85],
        72: [0x4144, 0x0000],
        74: [0x3f00, 0x0000],
        342: [0x414c, 0x0000],
      },
    },
    {
      voltage: 231.5,
      current: 2.5,
      power: -575.5,
      phaseAngle: 12.5,
      energy: 12250,
      exportEnergy: 500,
      totalEnergy: 12750,
    },
  ],
  [
    "eastron-sdm72d-v2",
    {
      input: {
        0: [0x4366, 0x0000],
        4: [0x4365, 0x8000],
        8: [0x4050, 0x0000],
        16: [0x443a, 0xe000],
        52: [0x450c, 0xa000],
        62: [0x3f00, 0x0000],
        70: [0x4248, 0x147b],
        342: [0x3fc0, 0x0000],
      },
    },
    {
      voltageL1: 230,
      voltageL3: 229.5,
      currentL2: 3.25,
      powerL3: 747.5,
      power: 2250,
      powerFactor: 0.5,
      totalEnergy: 1500,
    },
  ],
  [
    "carlo-gavazzi-em24",
    {
      input: {
        0: [0x0901, 0x0000],
        4: [0x08fa, 0x0000],
        14: [0x04d2, 0x0000],
        40: [0xc563, 0xffff],
        53: [0xfc27],
        55: [0x01f4],
        66: [0xe240, 0x0001],
        92: [0x1170, 0x0001],
      },
    },
    {
      voltageL1: 230.5,
      voltageL3: 229.8,
      currentL2: 1.234,
      power: -1500.5,
      powerFactor: -0.985,
      frequency: 50,
      energy: 12345600,
      exportEnergy: 7000000,
    },
  ],
  [
    "carlo-gavazzi-ex3x0",
    {
      input: {
        0: [0x0901, 0x0000],
        4: [0x08fa, 0x0000],
        14: [0x04d2, 0x0000],
        40: [0xc563, 0xffff],
        49: [0xfc27],
        51: [0x01f4],
        52: [0xe240, 0x0001],
        78: [0x1170, 0x0001],
      },
    },
    {
      voltageL1: 230.5,
      voltageL3: 229.8,
      currentL2: 1.234,
      power: -1500.5,
      powerFactor: -0.985,
      frequency: 50,
      energy: 12345600,
      exportEnergy: 7000000,
    },
  ],
  [
    "schneider-iem3000",
    {
      holding: {
        2999: [0x4128, 0x0000],
        3027: [0x4366, 0x4000],
        3059: [0xc020, 0x0000],
        3067: [0x3e80, 0x0000],
        3075: [0x4030, 0x0000],
        3083: [0x3fa0, 0x0000],
        3109: [0x4248, 0x0000],
        3203: [0x0000, 0x0000, 0x075b, 0xcd15],
        3207: [0x0000, 0x0000, 0x0000, 0x002a],
        3219: [0x8000, 0x0000, 0x0000, 0x0000],
        3517: [0x0000, 0x0000, 0x0273, 0xef07],
      },
    },
    {
      currentL1: 10.5,
      voltageL1: 230.25,
      power: -2500,
      reactivePower: 250,
      apparentPower: 2750,
      powerFactor: 0.75,
      energy: 123456789,
      exportEnergy: 42,
      reactiveEnergy: undefined,
      energyL1: 41152263,
    },
  ],
  [
    "schneider-pm5000",
    {
      holding: {
        2999: [0x4128, 0x0000],
        3027: [0x4366, 0x4000],
        3059: [0xc020, 0x0000],
        3067: [0x3e80, 0x0000],
        3075: [0x4030, 0x0000],
        3083: [0x3fa0, 0x0000],
        3109: [0x4248, 0x0000],
        3203: [0x0000, 0x0000, 0x075b, 0xcd15],
        3207: [0x0000, 0x0000, 0x0000, 0x002a],
        3219: [0x8000, 0x0000, 0x0000, 0x0000],
        3019: [0x43c7, 0x4000],
        3235: [0x0000, 0x0000, 0x0000, 0x1388],
      },
    },
    {
      currentL1: 10.5,
      voltageL1: 230.25,
      power: -2500,
      reactivePower: 250,
      apparentPower: 2750,
      powerFactor: 0.75,
      energy: 123456789,
      exportEnergy: 42,
      reactiveEnergy: undefined,
      voltageL12: 398.5,
      apparentEnergy: 5000,
    },
  ],
  [
    "abb-b23",
    {
      holding: {
        23296: [0x0000, 0x0900],
        23298: [0xffff, 0xffff],
        23308: [0x0000, 0x04d2],
        23316: [0xfffe, 0x1dc0],
        23340: [0x1389],
        23354: [0x03e3],
        20480: [0x0000, 0x0000, 0x0001, 0x81cd],
        20484: [0xffff, 0xffff, 0xffff, 0xffff],
      },
    },
    {
      voltageL1: 230.4,
      voltageL2: undefined,
      currentL1: 12.34,
      power: -1234.56,
      frequency: 50.01,
      powerFactor: 0.995,
      energy: 987650,
      exportEnergy: undefined,
    },
  ],
  [
    "chint-dtsu666",
    {
      holding: {
        8198: [0x4510, 0x1000],
        8204: [0x44bb, 0x8000],
        8210: [0x4557, 0xa000],
        8218: [0xc2fa, 0x0000],
        8234: [0x4476, 0x4000],
        8260: [0x459c, 0x3000],
        4126: [0x4148, 0x0000],
      },
    },
    {
      voltageL1: 230.5,
      currentL1: 1.5,
      power: 345,
      reactivePower: -12.5,
      powerFactor: 0.985,
      frequency: 49.98,
      energy: 12500,
    },
  ],
  [
    "janitza-umg",
    {
      holding: {
        19000: [0x4366, 0x8000],
        19016: [0x40f0, 0x0000],
        19022: [0xc2f0, 0x8000],
        19026: [0x4480, 0x1000],
        19048: [0xbf00, 0x0000],
        19050: [0x4248, 0x0000],
        19068: [0x4998, 0x9680],
        19076: [0x4180, 0x0000],
      },
    },
    {
      voltageL1: 230.5,
      currentL3: 7.5,
      powerL2: -120.25,
      power: 1024.5,
      powerFactorL3: -0.5,
      frequency: 50,
      energy: 1250000,
      exportEnergy: 16,
    },
  ],
  [
    "siemens-pac2200",
    {
      input: {
        1: [0x4365, 0xc000],
        15: [0x4090, 0x0000],
        65: [0xc3af, 0x4000],
        69: [0xbf60, 0x0000],
        801: [0x4132, 0xd687, 0x8000, 0x0000],
        809: [0x4028, 0x8000, 0x0000, 0x0000],
      },
    },
    { voltageL1: 229.75, currentL2: 4.5, power: -350.5, powerFactor: -0.875, energy: 1234567.5, exportEnergy: 12.25 },
  ],
  [
    "inepro-pro380",
    {
      holding: {
        20482: [0x4367, 0x4000],
        20488: [0x4248, 0x0000],
        20492: [0x4020, 0x0000],
        20498: [0x3f13, 0x3333],
        20506: [0xbe00, 0x0000],
        20514: [0x3f20, 0x0000],
        20522: [0x3f00, 0x0000],
        24576: [0x41a4, 0x0000],
        24588: [0x41a2, 0x0000],
        24600: [0x3e80, 0x0000],
      },
    },
    {
      voltageL1: 231.25,
      frequency: 50,
      currentL1: 2.5,
      reactivePower: -125,
      apparentPower: 625,
      powerFactor: 0.5,
      totalEnergy: 20500,
      energy: 20250,
      exportEnergy: 250,
    },
  ],
  [
    "orno-we-504",
    { holding: { 0: [0x0902, 0x0019, 0x01f4, 0x0240, 0x0005, 0x0241, 0x03e6, 0x0001, 0x86a0, 0x0000, 0x002a] } },
    {
      voltage: 230.6,
      current: 2.5,
      frequency: 50,
      power: 576,
      reactivePower: 5,
      apparentPower: 577,
      powerFactor: 0.998,
      energy: 100000,
      reactiveEnergy: 42,
    },
  ],
  [
    "finder-7m",
    {
      input: {
        2500: [0x4366, 0x8000],
        2518: [0x3fa0, 0x0000],
        2536: [0xc3e1, 0x4000],
        2544: [0x4148, 0x0000],
        2552: [0x43e1, 0x8000],
        2560: [0xbf40, 0x0000],
        2584: [0x4246, 0x0000],
        2752: [0x47f1, 0x2000],
        2756: [0x4280, 0x0000],
      },
    },
    {
      voltageL1: 230.5,
      currentL2: 1.25,
      power: -450.5,
      reactivePower: 12.5,
      apparentPower: 451,
      powerFactor: -0.75,
      frequency: 49.5,
      energy: 123456,
      exportEnergy: 64,
    },
  ],
  [
    "saia-ale3",
    {
      holding: {
        27: [0x0001, 0xe240],
        31: [0x0000, 0x0064],
        35: [0x00e7, 0x0019, 0x0039, 0x0003, 0x0063],
        50: [0x0039, 0x0003],
      },
    },
    {
      energy: 1234560,
      exportEnergy: 1000,
      voltageL1: 231,
      currentL1: 2.5,
      powerL1: 570,
      reactivePowerL1: 30,
      powerFactorL1: 0.99,
      power: 570,
      reactivePower: 30,
    },
  ],
  [
    "jsy-mk-163",
    {
      holding: {
        72: [0x5a0a, 0x00fa, 0x0240],
        75: [0x0030, 0xd400],
        77: [0x03e7],
        78: [0x0000, 0x0140],
        80: [0x0001, 0x1386],
      },
    },
    {
      voltage: 230.5,
      current: 2.5,
      absolutePower: 576,
      power: -576,
      energy: 1000000,
      powerFactor: 0.999,
      exportEnergy: 100,
      frequency: 49.98,
    },
  ],
  ["jsy-mk-163", { holding: { 74: [0x0064], 80: [0x0000] } }, { power: 100 }],
  [
    "jsy-mk-333",
    {
      holding: {
        256: [
          0x58df, 0x0000, 0x0000, 0x0067, 0x0000, 0x0000, 0x00eb, 0x0000, 0x0000, 0x0000, 0x00eb, 0x0002, 0x0000,
          0x0000, 0x0000, 0x0002, 0x00eb, 0x0000, 0x0000, 0x0000, 0x00eb, 0x1386, 0x03e7, 0x03e8, 0x03e8, 0x03e7,
          0x0000, 0x0004, 0x0000, 0x0005, 0x0000, 0x0001, 0x0000, 0x000a,
        ],
      },
    },
    {
      voltageL1: 227.51,
      voltageL2: 0,
      currentL1: 1.03,
      powerL1: 235,
      power: 235,
      frequency: 49.98,
      powerFactorL1: 0.999,
      powerFactor: 0.999,
      energyL1: 40,
      energyL2: 50,
      energyL3: 10,
      energy: 100,
    },
  ],
  [
    "huawei-sun2000",
    {
      holding: {
        30075: [0x0000, 0x2710],
        32064: [0x0000, 0x10e1],
        32080: [0x0000, 0x1068],
        32106: [0x0012, 0xd687],
        32108: [0xffff, 0xffff],
        37101: [0x0000, 0x08fd],
        37107: [0xffff, 0xfdea],
        37113: [0xffff, 0xff06],
        37119: [0x0001, 0x86a0],
        37121: [0x0000, 0x002a],
        37136: [0x7fff, 0xffff],
      },
    },
    {
      ratedPower: 10000,
      dcPower: 4321,
      power: 4200,
      energy: 12345670,
      dcEnergy: undefined,
      meterVoltageL1: 230.1,
      meterCurrentL1: -5.34,
      meterPower: -250,
      meterExportEnergy: 1000000,
      meterEnergy: 420,
      meterPowerL3: undefined,
    },
  ],
  [
    "danfoss-fc51",
    {
      holding: {
        16009: [0xffff, 0x9e58],
        16129: [0x01c7],
        16139: [0x0138],
        16119: [0x00e4],
        16299: [0x0142],
        16339: [0x0027],
        50199: [0x0a0b],
      },
    },
    {
      referenceFrequency: -25,
      outputFrequency: 45.5,
      current: 3.12,
      motorVoltage: 228,
      linkVoltage: 322,
      heatsinkTemperature: 39,
      controlReady: true,
      driveReady: true,
      alarm: true,
      remoteControl: true,
      running: true,
    },
  ],
  [
    "vacon-10",
    { input: { 0: [0x11c6, 0x0555, 0x0138, 0xffce, 0x028f, 0x08ed, 0x0142, 0x0029], 2100: [0x000b], 2110: [0x000d] } },
    {
      outputFrequency: 45.5,
      speed: 1365,
      current: 3.12,
      torque: -5,
      power: 65.5,
      motorVoltage: 228.5,
      linkVoltage: 322,
      driveTemperature: 41,
      ready: true,
      running: true,
      fault: true,
      alarm: false,
      faultCode: 13,
    },
  ],
  [
    "carel-ir33",
    {
      holding: { 404: [0xff56] },
      input: { 403: [0xffd3], 412: [0xffa6], 406: [0xffd3] },
      coil: { 54: [0], 51: [1], 5: [1] },
      discrete: { 7: [1], 43: [1] },
    },
    {
      setPoint: -17,
      probe1: -4.5,
      probe2: -9,
      standby: false,
      light: true,
      highTemperature: true,
      compressor: true,
      door: true,
      defrost: false,
    },
  ],
  [
    "siemens-rdf302",
    { input: { 1000: [0x0001, 0x0002, 0x0433, 0x0425, 0x0028, 0x0000] }, holding: { 102: [0x041a] } },
    { mode: 1, fan: 2, temperature: 21.5, setPoint: 21.22, heating: 40, cooling: 0, comfortSetPoint: 21 },
  ],
  [
    "keller-30x",
    { holding: { 2: [0x3fa0, 0x0000], 4: [0x7fc0, 0x0000], 8: [0x41ac, 0x0000] } },
    { pressure1: 125000, pressure2: undefined, temperatureTob1: 21.5 },
  ],
  ["qdy30a", { holding: { 2: [0x0003, 0x0002, 0x0096] } }, { value: 150000 }],
  ["qdy30a", { holding: { 2: [0x0000, 0x0003, 0x04e2] } }, { value: 1250000 }],
  ["qdy30a", { holding: { 2: [0x0006, 0x0001, 0x0091] } }, { value: 99973.981 }],
  ["qdy30a", { holding: { 2: [0x0009, 0x0001, 0x0091] } }, { value: undefined }],
  ["qdy30a", { holding: { 2: [0x0003, 0x0004, 0x0091] } }, { value: undefined }],
  ["qdy30a-level", { holding: { 2: [0x0001, 0x0001, 0x04d2] } }, { value: 1.234 }],
  ["qdy30a-level", { holding: { 2: [0x0002, 0x0000, 0x04d2] } }, { value: 1.234 }],
  ["qdy30a-level", { holding: { 2: [0x0003, 0x0000, 0x04d2] } }, { value: undefined }],
  [
    "sts-dtm",
    {
      input: { 0: [0x09c4, 0xfc18] },
      holding: { 200: [0x0000, 0x0bb8], 202: [0xffff, 0xfc18], 204: [0x0000, 0x0050], 206: [0xffff, 0xffec] },
    },
    { pressure: 0, temperature: -30 },
  ],
  [
    "vaisala-hmd60",
    {
      holding: {
        0: [0x7ae1, 0x41f4],
        2: [0x0000, 0x41ac],
        4: [0x0000, 0x4050],
        6: [0x0000, 0x7fc0],
        8: [0x0000, 0x40b0],
      },
    },
    { humidity: 30.559999465942383, temperature: 21.5, dewPoint: 3.25, frostPoint: undefined, absoluteHumidity: 5.5 },
  ],
  [
    "eastron-sdm120",
    {
      input: {
        0: [0x4366, 0x8000],
        6: [0x40a0, 0x0000],
        12: [0xc48f, 0xc800],
        30: [0xbf00, 0x0000],
        70: [0x4248, 0x0000],
        72: [0x4148, 0x0000],
        74: [0x3e80, 0x0000],
      },
    },
    { voltage: 230.5, current: 5, power: -1150.25, powerFactor: -0.5, frequency: 50, energy: 12500, exportEnergy: 250 },
  ],
  [
    "eastron-sdm630",
    {
      input: {
        0: [0x4366, 0x0000],
        4: [0x4367, 0x8000],
        8: [0x4000, 0x0000],
        16: [0x43e7, 0x8000],
        52: [0x447a, 0x0000],
        72: [0x4040, 0x0000],
      },
    },
    { voltageL1: 230, voltageL3: 231.5, currentL2: 2, powerL3: 463, power: 1000, energy: 3000 },
  ],
  [
    "pzem-016",
    {
      input: { 0: [0x08fd, 0x1170, 0x0001, 0x59dd, 0x0000, 0x1171, 0x0001, 0x01f4, 0x005f, 0xffff] },
      holding: { 1: [0x08fc] },
    },
    {
      voltage: 230.1,
      current: 70,
      power: 2300.5,
      energy: 70001,
      frequency: 50,
      powerFactor: 0.95,
      powerAlarm: true,
      alarmThreshold: 2300,
    },
  ],
  ["xy-md02", { input: { 1: [0x0131, 0x0222] } }, { temperature: 30.5, humidity: 54.6 }],
  ["xy-md02", { input: { 1: [0xff33, 0x0222] } }, { temperature: -20.5 }],
  ["relay-8", { coil: { 0: [1], 7: [1] } }, { relay1: true, relay2: false, relay8: true }],
  [
    "sunspec-inverter",
    {
      holding: {
        40000: [0x5375, 0x6e53],
        40002: [0x0001, 0x0042],
        40070: [
          0x0067, 0x0032, 0x04d2, 0x019b, 0x019c, 0xffff, 0xfffe, 0x0000, 0x0000, 0x0000, 0x0901, 0x08fa, 0x0907,
          0xffff, 0xfff1, 0x0002, 0x1389, 0xfffe, 0x0640, 0x0000, 0xff88, 0x8000, 0xfc27, 0xffff, 0x0001, 0xe240,
          0x0001, 0xffff, 0x8000, 0x197b, 0xffff, 0x060f, 0x0000, 0x019f, 0x0000, 0x0000, 0x0000, 0xffff, 0x0004,
          0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
        ],
        40122: [0xffff, 0x0000],
      },
    },
    {
      power: -1500,
      current: 12.34,
      currentL1: 4.11,
      currentL3: undefined,
      voltageL1: 230.5,
      voltageL3: 231.1,
      frequency: 50.01,
      apparentPower: 1600,
      reactivePower: undefined,
      powerFactor: -0.985,
      energy: 1234560,
      dcCurrent: undefined,
      dcVoltage: 652.3,
      dcPower: 1551,
      cabinetTemperature: 41.5,
      state: 4,
    },
  ],
  [
    "sunspec-meter",
    {
      holding: {
        40000: [0x5375, 0x6e53],
        40002: [0x0001, 0x0041],
        40069: [
          0x00cb, 0x0069, 0x044c, 0x0190, 0x015e, 0x015e, 0xfffe, 0x0000, 0x08fd, 0x08fe, 0x08ff, 0x0000, 0x0000,
          0x0000, 0x0000, 0xffff, 0x01f4, 0xffff, 0xff03, 0xff9c, 0xff9c, 0xffcb, 0x0001, 0x0a28, 0x0000, 0x0000,
          0x0000, 0x0000, 0xffb5, 0x0000, 0x0000, 0x0000, 0x0000, 0xff9f, 0x0000, 0x0000, 0x0000, 0x0000, 0x0001,
          0x1171, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
          0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
          0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
          0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
          0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
          0x0000, 0x0000, 0x0000,
        ],
        40176: [0xffff, 0x0000],
      },
    },
    {
      power: -2530,
      powerL1: -1000,
      powerL3: -530,
      current: 11,
      currentL1: 4,
      voltageL2: 230.2,
      frequency: 50,
      apparentPower: 2600,
      reactivePower: -75,
      powerFactor: -0.97,
      exportEnergy: 70001,
      energy: undefined,
    },
  ],
];

const adapters: ReadonlyMap<string, AnyAdapter> = new Map([[modbus.name, defineAdapter(modbus)]]);

let shelf: ProfileShelf;
beforeAll(async () => {
  shelf = await ProfileShelf.open([shippedMappings()], adapters, await loadModels());
});

describe("what a device's registers mean", () => {
  it.each(EXAMPLES)("%s", async (name, words, values) => {
    const profile = (await shelf.read(name))?.profile;
    if (profile === undefined) throw new Error(`no profile ${name}`);
    await using device = await modbusRig(profile);
    for (const table of TABLES) {
      for (const [register, held] of Object.entries(words[table] ?? {})) device.hold(table, Number(register), held);
    }
    await device.field.read("device", new AbortController().signal);
    const points = device.points();
    const expected = Object.entries(values).filter(([, value]) => value !== undefined);
    const faulty = Object.keys(values).filter((point) => values[point] === undefined);
    expect(Object.fromEntries(expected.map(([point]) => [point, rounded(points.get(point)?.value)]))).toEqual(
      Object.fromEntries(expected.map(([point, value]) => [point, rounded(value)])),
    );
    for (const point of faulty) expect(points.get(point), point).toMatchObject({ quality: "invalid" });
    expectTree(profile, device);
  });

  it("is shown for every profile", () => {
    const shown = new Set(EXAMPLES.map(([name]) => name));
    const names = shelf.names.filter((name) => shelf.adapterOf(name) === modbus.name);
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
  });
});

/** Each resource holds what the status tells of its point. */
function expectTree({ objects }: Profile, { tree, points }: Awaited<ReturnType<typeof modbusRig>>): void {
  const known = points();
  for (const { model, ordinal, resources } of objects) {
    for (const [id, source] of resources) {
      if (source.kind === "literal") continue;
      const path = `/${model.id}/${ordinal}/${id}`;
      expect(valueAt(tree, path), `${path} of ${source.point}`).toEqual(known.get(source.point)?.value);
    }
  }
}

/** Six digits are more than any of the devices measures. */
function rounded(value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
