import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveSecret } from "../../src/base/secrets.js";
import { formatProblem } from "../../src/base/source.js";
import { readConfig } from "../../src/config/read.js";
import { accessPolicy } from "../../src/config/rights.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = join(folder, "causeway.yaml");
  await writeFile(file, text);
  const { config, problems, notes } = await readConfig(file);
  const lines = (list: typeof problems) => list.map(formatProblem).map((line) => line.replaceAll(`${folder}/`, ""));
  return { config, problems: lines(problems), notes: lines(notes) };
}

const GOOD = `gateway:
  endpoint: urn:dev:os:32473-gw1
  state: state
servers:
  - uri: coap://127.0.0.1:5683
    shortServerId: 1
    lifetime: 5m
links:
  plc: { adapter: modbus, transport: tcp, host: 127.0.0.1, port: 1502 }
devices:
  - name: meter
    link: plc
    profile: own-meter
    address: { unit: 7 }
    poll: { fast: 500ms }
    report: { voltage: { deadband: 0.5, heartbeat: 10m } }
mappings: [mappings]
outbox: { maxSize: 1MiB, maxAge: 1d, overflow: drop-newest }
`;

const MAPPING = `profile: own-meter
title: Own meter
adapter: modbus
addressBase: 0
points:
  voltage: { at: { table: input, register: 0 }, type: float32, unit: V }
objects:
  - object: 3316
    resources: { 5700: voltage }
`;

beforeEach(async () => {
  await mkdir(join(folder, "mappings"));
  await writeFile(join(folder, "mappings", "own.yaml"), MAPPING);
});

describe("links that share a line", () => {
  const links = (...lines: readonly string[]): string =>
    GOOD.replace(/ {2}plc: .*\n/, (plc) => plc + lines.map((line) => `  ${line}\n`).join(""));

  it.each<[string, readonly string[], readonly string[]]>([
    [
      "and say the same are good",
      [
        "a: { adapter: modbus, transport: rtu, port: /dev/ttyS0, baudRate: 19200 }",
        "b: { adapter: modbus, port: /dev/ttyS0, transport: rtu, baudRate: 19200 }",
      ],
      [],
    ],
    [
      "and say another speed",
      [
        "a: { adapter: modbus, transport: rtu, port: /dev/ttyS0, baudRate: 9600 }",
        "b: { adapter: modbus, transport: rtu, port: /dev/ttyS0, baudRate: 19200 }",
      ],
      [
        "causeway.yaml:11:6 links.b: has the line of link 'a' with another baudRate: only that of 'a' counts (name one link at the devices of both, or say the same in both)",
      ],
    ],
    [
      "of different adapters",
      [
        "a: { adapter: modbus, transport: rtu, port: /dev/ttyS0 }",
        "b: { adapter: serial, port: /dev/ttyS0 }",
        "c: { adapter: serial, port: /dev/ttyS1 }",
      ],
      [
        "causeway.yaml:11:6 links.b: has the line of link 'a', which modbus holds (give each adapter a port of its own)",
      ],
    ],
  ])("%s", async (_, lines, expected) => {
    expect((await read(links(...lines))).problems).toEqual(expected);
  });

  it("of which one is wrong are told of that alone", async () => {
    const { problems } = await read(links('a: { adapter: mqtt, url: "broker" }', "b: { adapter: mqtt, host: broker }"));
    expect(problems).toEqual(["causeway.yaml:10:6 links.a: 'url' is not like mqtt://host:1883"]);
  });

  it("of which one says more is worth a note", async () => {
    const { problems, notes } = await read(
      links("a: { adapter: modbus, transport: tcp, host: 127.0.0.1, port: 1502, unitPause: 1s }"),
    );
    expect(problems).toEqual([]);
    expect(notes.join()).toContain(
      "links.a: has the line of link 'plc' with another unitPause: only that of 'plc' counts",
    );
  });
});

describe("exposure", () => {
  const devices = (...lines: readonly string[]): string =>
    GOOD.replace(
      /devices:[\s\S]*?mappings:/,
      () => `devices:\n${lines.map((line) => `  - ${line}\n`).join("")}mappings:`,
    );
  const device = (name: string, more: string): string =>
    `{ name: ${name}, link: plc, profile: own-meter, address: { unit: 1 }${more} }`;

  it("is told of a device that is there twice", async () => {
    const { problems, notes } = await read(
      devices(device("a", ""), device("b", ""), "{ name: c, link: plc, profile: own-meter, address: { unit: 2 } }"),
    );
    expect(problems).toEqual([]);
    expect(notes).toEqual([
      "causeway.yaml:12:56 devices[1].address: 'a' is the same device: link, profile and address are the same",
    ]);
  });

  it("is that of the gateway unless the device says otherwise; ids and prefixes have defaults", async () => {
    const text = devices(device("a", ""), device("b", ", expose: endpoints, id: urn:b"), device("c", ", prefix: d01"));
    const { config, problems } = await read(text.replace("  state: state", "  state: state\n  expose: gateway"));
    expect(problems).toEqual([]);
    expect(config?.devices.map(({ exposure }) => exposure)).toEqual([
      { mode: "gateway", id: "urn:dev:os:32473-gw1:a", prefix: expect.stringMatching(/^d[0-9a-f]{6}$/) },
      { mode: "endpoints", id: "urn:b", prefix: expect.any(String) },
      { mode: "gateway", id: "urn:dev:os:32473-gw1:c", prefix: "d01" },
    ]);
  });

  it("names ids and prefixes that come twice, where they stand", async () => {
    const more = ", expose: gateway, id: urn:b, prefix: d01";
    const { problems } = await read(devices(device("a", more), device("b", more)));
    expect(problems).toEqual([
      "causeway.yaml:12:90 devices[1].id: 'urn:b' is that of devices[0] already (give each device its own id)",
      "causeway.yaml:12:105 devices[1].prefix: 'd01' is that of devices[0] already (give each device its own prefix)",
    ]);
  });

  it("refuses a profile with an object that the gateway provides itself", async () => {
    await writeFile(
      join(folder, "mappings", "own.yaml"),
      MAPPING.replace("3316", "3").replace("5700: voltage", "1: { value: M }"),
    );
    expect((await read(GOOD)).problems).toContain(
      "causeway.yaml:13:14 devices[0].profile: profile 'own-meter' has object 3, which the gateway provides itself",
    );
  });

  it("refuses a profile with an object of the gateway's host only in the gateway's own tree", async () => {
    await writeFile(
      join(folder, "mappings", "own.yaml"),
      MAPPING.replace("3316", "4").replace("5700: voltage", "8: { value: 1 }"),
    );
    const complaint = /has object 4, which the gateway provides itself/;
    const complaints = async (text: string) => (await read(text)).problems.filter((line) => complaint.test(line));
    expect(await complaints(devices(device("a", ", expose: flat")))).toHaveLength(1);
    expect(await complaints(devices(device("a", ", expose: endpoints")))).toEqual([]);
  });

  it("a prefix counts only where it is used", async () => {
    const text = devices(device("a", ", prefix: d01"), device("b", ", prefix: d01"));
    expect((await read(text)).problems).toEqual([]);
  });
});

describe("a good configuration", () => {
  it("is read with its units converted, its device joined with its profile", async () => {
    const { config, problems } = await read(GOOD);
    expect(problems).toEqual([]);
    expect(config?.servers).toEqual([
      {
        account: { uri: "coap://127.0.0.1:5683", shortServerId: 1, lifetimeS: 300, send: "open", notify: "CON" },
        history: "send",
      },
    ]);
    expect(config?.stateFolder).toBe(join(folder, "state"));
    expect(config?.outbox).toEqual({ maxBytes: 1_048_576, maxAgeMs: 86_400_000, overflow: "drop-newest" });
    const [device] = config?.devices ?? [];
    expect(device?.field).toMatchObject({ name: "meter", link: "plc", address: { unit: 7 }, poll: { fastMs: 500 } });
    expect(device?.report.get("voltage")).toEqual({ deadband: 0.5, heartbeatMs: 600_000 });
  });

  it("a profile of the user's folder goes before a shipped one of the same name", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), MAPPING.replace("own-meter", "eastron-sdm120"));
    const { config } = await read(GOOD.replace("own-meter", "eastron-sdm120"));
    expect(config?.devices[0]?.profile.title).toBe("Own meter");
  });
});

describe("a profile's age and place", () => {
  const named = (name: string, more = "") => MAPPING.replace("profile: own-meter", `profile: ${name}${more}`);

  it("a profile of one's own that goes ahead of a shipped one is noted, where it stands", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), named("eastron-sdm120"));
    const { config, problems, notes } = await read(GOOD.replace("own-meter", "eastron-sdm120"));
    expect([problems, config?.devices.length]).toEqual([[], 1]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^mappings\/own\.yaml:1:10 profile: 'eastron-sdm120' goes ahead of that in .*eastron-sdm120\.yaml$/,
      ),
    ]);
  });

  it.each(["replaces: [old-meter, older-meter]", "replaces:\n  - older-meter # of 2019\n  - 'old-meter'"])(
    "the name of before leads to the new profile, with a note: %s",
    async (replaces) => {
      await writeFile(join(folder, "mappings", "own.yaml"), named("own-meter", `\n${replaces}`));
      const { config, problems, notes } = await read(GOOD.replace("profile: own-meter", "profile: old-meter"));
      expect(problems).toEqual([]);
      expect(config?.devices[0]?.profile.name).toBe("own-meter");
      expect(notes).toEqual([
        "causeway.yaml:13:14 devices[0].profile: 'old-meter' is now 'own-meter' (name that, the old name will go)",
      ]);
    },
  );

  it("a file of that name is meant before one that replaces it", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), named("own-meter", "\nreplaces: [old-meter]"));
    await writeFile(join(folder, "mappings", "old.yaml"), named("old-meter"));
    const { config, notes } = await read(GOOD.replace("profile: own-meter", "profile: old-meter"));
    expect([config?.devices[0]?.profile.name, notes]).toEqual(["old-meter", []]);
  });

  it("a profile that is out of use is noted", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), named("own-meter", "\ndeprecated: use new-meter"));
    const { config, notes } = await read(GOOD);
    expect(config).toBeDefined();
    expect(notes).toEqual(["causeway.yaml:13:14 devices[0].profile: 'own-meter' is out of use: use new-meter"]);
  });
});

describe("parameters of a device", () => {
  const PARAMETERS =
    "\nparameters: { register: { required: true, note: see its plate }, mode: { default: auto, oneOf: [auto, hand] } }";
  const own = MAPPING.replace("own-meter", `own-meter${PARAMETERS}`)
    .replace("register: 0", `register: "\${register}"`)
    .replace("5700: voltage", `5700: voltage, 5750: { value: "\${mode}" }`);
  const given = (parameters: string) => GOOD.replace("    poll:", `    parameters: ${parameters}\n    poll:`);

  beforeEach(() => writeFile(join(folder, "mappings", "own.yaml"), own));

  it("stand in its profile, and are its own", async () => {
    const second = `devices:\n  - { name: b, link: plc, profile: own-meter, address: { unit: 8 }, parameters: { register: 9, mode: hand } }\n`;
    const { config, problems } = await read(given("{ register: 5 }").replace("devices:\n", second));
    expect(problems).toEqual([]);
    const facts = config?.devices.map(({ field, profile }) => [
      field.name,
      field.points[0]?.address,
      profile.objects[0]?.resources.get(5750),
    ]);
    expect(facts).toEqual([
      ["b", { at: { table: "input", register: 9 }, type: "float32" }, { kind: "literal", value: "hand" }],
      ["meter", { at: { table: "input", register: 5 }, type: "float32" }, { kind: "literal", value: "auto" }],
    ]);
  });

  it.each<[string, string]>([
    [
      "{}",
      "causeway.yaml:11:5 devices[0].parameters: profile 'own-meter' needs the parameter 'register' (see its plate)",
    ],
    [
      "{ register: 5, mod: hand }",
      "causeway.yaml:15:37 devices[0].parameters.mod: profile 'own-meter' has no parameter 'mod' (did you mean 'mode'?)",
    ],
    ["{ register: 5, mode: c }", 'causeway.yaml:15:38 devices[0].parameters.mode: expected auto | hand, found "c"'],
    [
      "{ register: 5.5 }",
      "mappings/own.yaml:7:44 points.voltage.at.register: expected a whole number from 0 to 65535, found 5.5",
    ],
  ])("%s is a mistake", async (parameters, problem) => {
    expect((await read(given(parameters).replace(/report:.*/, ""))).problems).toEqual([problem]);
  });

  it("are named where their profile does not go with them", async () => {
    const { notes } = await read(given("{ register: 5.5 }"));
    expect(notes).toContain("causeway.yaml:15:17 devices[0].parameters: with these 'own-meter' has mistakes");
  });
});

describe("rights", () => {
  const servers = (...rights: readonly string[]): string =>
    GOOD.replace(
      /servers:[\s\S]*?links:/,
      () => `servers:\n${rights.map((more, id) => `  - { uri: coap://127.0.0.1:${id + 1}${more} }\n`).join("")}links:`,
    );

  it("are the same for all objects, or told by object; without the key a server has all", async () => {
    const text = servers("", ", rights: [read, execute]", ", rights: { default: [read], 3308: [read, write], 16: [] }");
    const { config, problems } = await read(text);
    expect(problems).toEqual([]);
    expect(config?.servers.map(({ rights }) => rights)).toEqual([
      undefined,
      { default: 5, objects: new Map() },
      {
        default: 1,
        objects: new Map([
          [3308, 3],
          [16, 0],
        ]),
      },
    ]);
    const policy = accessPolicy(config?.servers ?? []);
    expect([1, 2, 3].map((server) => [3303, 3308, 16].map((objectId) => policy?.(server, objectId)))).toEqual([
      [31, 31, 31],
      [5, 5, 5],
      [1, 3, 0],
    ]);
  });

  it("are no matter of access control as long as no server is limited", async () => {
    const { config } = await read(servers("", ""));
    expect(accessPolicy(config?.servers ?? [])).toBeUndefined();
  });

  it.each([
    [["", ", rights: read"], 'servers[1].rights: expected a list, found "read"'],
    [
      ["", ", rights: [red]"],
      "servers[1].rights[0]: expected read | write | execute | delete | create, found \"red\" (did you mean 'read'?)",
    ],
    [["", ", rights: { 3303: [read] }"], "servers[1].rights: 'default' is missing: the rights to all other objects"],
    [
      ["", ", rights: { default: [], meter: [] }"],
      "servers[1].rights: 'meter' is neither 'default' nor the id of an object",
    ],
    [[", awakeTime: 10s"], "servers[0].awakeTime: counts only with 'queueMode: true'"],
    [[", rights: [read]"], "servers[0].rights: a server that is the only one has all rights"],
  ])("%j is a mistake", async (rights, complaint) => {
    const { problems } = await read(servers(...rights));
    expect(problems).toEqual([expect.stringContaining(complaint)]);
  });
});

describe("objects", () => {
  const LOCATION = `profile: own-meter
title: A position
adapter: modbus
addressBase: 0
points:
  lat: { at: { table: input, register: 0 }, type: float32, unit: lat }
  lon: { at: { table: input, register: 2 }, type: float32, unit: lon }
objects:
  - { object: 6, resources: { 0: lat, 1: lon } }
`;
  const SECOND = "  - { name: other, link: plc, profile: own-meter, address: { unit: 8 } }\nmappings:";

  it("of the gateway itself are those that it is asked for, and no device's", async () => {
    const text = GOOD.replace("  state: state", "  state: state\n  objects: [portfolio, event-log]");
    expect((await read(text)).config?.objects).toEqual(new Set(["portfolio", "event-log"]));
    await writeFile(
      join(folder, "mappings", "own.yaml"),
      MAPPING.replace(/objects:[\s\S]*$/, "objects: [{ object: 16, resources: { 1: voltage } }]\n"),
    );
    const { problems } = await read(text);
    expect(problems).toContainEqual(expect.stringContaining("has object 16, which the gateway provides itself"));
  });

  it("a profile may have a position; the gateway knows the time of it", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), LOCATION);
    expect((await read(GOOD.replace(/report:.*/, ""))).problems).toEqual([]);
  });

  it("what has one instance only is of one device, unless each has its own tree", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), LOCATION);
    const text = GOOD.replace(/report:.*/, "").replace("mappings:", SECOND);
    expect((await read(text)).problems).toEqual([
      "causeway.yaml:17:40 devices[1].profile: object 6 has one instance only, which is that of devices[0] (expose this device as gateway or endpoints)",
    ]);
    expect((await read(text.replace("  state: state", "  state: state\n  expose: gateway"))).problems).toEqual([]);
    await writeFile(
      join(folder, "mappings", "own.yaml"),
      `${LOCATION}  - { object: 6, resources: { 0: lon, 1: lat } }\n`,
    );
    const { problems } = await read(GOOD.replace(/report:.*/, ""));
    expect(problems).toContainEqual(
      expect.stringContaining("objects[1].object: object 6 (Location) has one instance only"),
    );
  });
});

describe("every mistake is named with its place", () => {
  it.each<[string, string, string, string]>([
    [
      "a misspelt key",
      "lifetime: 5m",
      "lifetme: 5m",
      "causeway.yaml:7:5 servers[0].lifetme: unknown key (did you mean 'lifetime'?)",
    ],
    [
      "a bad duration",
      "lifetime: 5m",
      "lifetime: 300",
      "causeway.yaml:7:15 servers[0].lifetime: expected a duration such as 500ms, 5s, 10m, 24h, found 300",
    ],
    [
      "an unknown scheme",
      "coap://127",
      "htp://127",
      "causeway.yaml:5:10 servers[0].uri: unknown scheme 'htp', expected coap | coaps | coap+tcp | coaps+tcp",
    ],
    [
      "no URI at all",
      "uri: coap://127.0.0.1:5683",
      "uri: localhost",
      "causeway.yaml:5:10 servers[0].uri: 'localhost' is not a URI such as coap://192.0.2.1:5683",
    ],
    [
      "an unknown adapter",
      "adapter: modbus",
      "adapter: modbsu",
      "causeway.yaml:9:19 links.plc.adapter: no adapter 'modbsu' (did you mean 'modbus'?)",
    ],
    [
      "an unknown link",
      "link: plc",
      "link: plk",
      "causeway.yaml:12:11 devices[0].link: no usable link 'plk' (did you mean 'plc'?)",
    ],
    [
      "an unknown profile",
      "profile: own-meter",
      "profile: own-metr",
      "causeway.yaml:13:14 devices[0].profile: no profile 'own-metr' (did you mean 'own-meter'?)",
    ],
    [
      "an unknown point in report",
      "report: { voltage",
      "report: { volage",
      "causeway.yaml:16:23 devices[0].report.volage: no point 'volage' (did you mean 'voltage'?)",
    ],
    [
      "an unknown point set by hand",
      "report: { voltage: { deadband: 0.5, heartbeat: 10m } }",
      "manual: { volage: 230 }",
      "causeway.yaml:16:23 devices[0].manual.volage: no point 'volage' (did you mean 'voltage'?)",
    ],
    [
      "a value set by hand that the resource cannot hold",
      "report: { voltage: { deadband: 0.5, heartbeat: 10m } }",
      "manual: { voltage: high }",
      "causeway.yaml:16:24 devices[0].manual.voltage: resource 5700 of object 3316: text cannot be a float (the value is in the unit of the profile, after scaling)",
    ],
    [
      "a device id with white space",
      "link: plc\n",
      "link: plc\n    id: my meter\n",
      "causeway.yaml:13:9 devices[0].id: an id has 1 to 252 bytes, without white space; a URN such as urn:dev:os:32473-101 is best",
    ],
    [
      "a prefix of digits",
      "link: plc\n",
      "link: plc\n    prefix: '12'\n",
      "causeway.yaml:13:13 devices[0].prefix: a prefix has 1 to 16 letters, digits, '.', '_', '-', not digits only",
    ],
    [
      "a path that cannot be told from an object's",
      "  state: state",
      "  path: lwm2m/3",
      "causeway.yaml:3:9 gateway.path: a path has up to 64 letters, digits, '.', '_', '-', in segments with '/' between, none digits only, such as lwm2m",
    ],
    [
      "a path with a slash ahead",
      "  state: state",
      "  path: /lwm2m",
      "causeway.yaml:3:9 gateway.path: a path has up to 64 letters, digits, '.', '_', '-', in segments with '/' between, none digits only, such as lwm2m",
    ],
    [
      "a path of the registration interface",
      "  state: state",
      "  path: rd",
      "causeway.yaml:3:9 gateway.path: 'rd' belongs to the server",
    ],
    [
      "a device with the gateway's own name",
      "link: plc\n",
      "link: plc\n    id: urn:dev:os:32473-gw1\n",
      "causeway.yaml:13:9 devices[0].id: 'urn:dev:os:32473-gw1' is that of the gateway already (give each device its own id)",
    ],
  ])("%s", async (_, good, bad, problem) => {
    const { config, problems } = await read(GOOD.replace(good, bad));
    expect(problems).toContain(problem);
    expect(config).toBeUndefined();
  });

  it.each([
    ["  state: state", []],
    ["  path: lwm2m", ["lwm2m"]],
    ["  path: a/b.c-1", ["a", "b.c-1"]],
  ])("%s puts the objects below %o", async (line, alternatePath) => {
    const { config } = await read(GOOD.replace("  state: state", line));
    expect(config?.alternatePath).toEqual(alternatePath);
  });

  it("names a missing section and still checks the rest", async () => {
    const { problems } = await read(GOOD.replace(/gateway:\n.*\n.*\n/, "").replace("link: plc", "link: plk"));
    expect(problems).toEqual([
      "causeway.yaml:1:1: 'gateway' is missing",
      "causeway.yaml:9:11 devices[0].link: no usable link 'plk' (did you mean 'plc'?)",
    ]);
  });

  it("a folder that is not there is a mistake of its line", async () => {
    const { problems } = await read(GOOD.replace("mappings: [mappings]", "mappings: [maps]"));
    expect(problems).toContainEqual(expect.stringMatching(/^causeway\.yaml:17:12 mappings\[0\]: .* does not exist/));
  });

  it("tells a mapping's mistakes once, in the mapping's own lines, however many devices use it", async () => {
    await writeFile(join(folder, "mappings", "own.yaml"), MAPPING.replace("5700: voltage", "5700: volts"));
    const second = "  - { name: meter2, link: plc, profile: own-meter, address: { unit: 8 } }\nmappings:";
    const { problems } = await read(GOOD.replace("mappings:", second));
    expect(problems).toEqual(["mappings/own.yaml:9:24 objects[0].resources.5700: no point 'volts' (points: voltage)"]);
  });

  it("a half-written file gives problems, never a throw", async () => {
    for (let length = 1; length < GOOD.length; length += 7) {
      const { config, problems } = await read(GOOD.slice(0, length));
      expect(config !== undefined || problems.length > 0).toBe(true);
    }
  });

  it("a file that is not there is told with its name", async () => {
    await expect(readConfig(join(folder, "none.yaml"))).rejects.toMatchObject({ code: "CONFIG_UNREADABLE" });
  });
});

describe("bootstrap", () => {
  const section = (text: string): string => GOOD.replace(/servers:\n(?: .*\n)*/, `bootstrap: ${text}\n`);

  it("stands in for servers; everything but the URI has a default", async () => {
    const { config, problems } = await read(section("{ uri: coap://192.0.2.9 }"));
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      servers: [],
      bootstrap: {
        account: { uri: "coap://192.0.2.9", holdOffS: 0, accountTimeoutS: 0 },
        pack: "never",
        history: "send",
      },
    });
  });

  it("may stand beside servers", async () => {
    const text =
      "bootstrap: { uri: coap://a, security: none, holdOff: 10s, accountTimeout: 1h, pack: try, history: none }";
    const { config } = await read(`${GOOD}${text}\n`);
    expect(config?.servers).toHaveLength(1);
    expect(config?.bootstrap).toEqual({
      account: { uri: "coap://a", holdOffS: 10, accountTimeoutS: 3600 },
      pack: "try",
      history: "none",
    });
  });

  it.each([
    ["{}", "causeway.yaml:4:12 bootstrap: 'uri' is missing"],
    ["{ uri: coap }", "causeway.yaml:4:19 bootstrap.uri: 'coap' is not a URI such as coap://192.0.2.1:5683"],
    ["{ uri: coaps://a }", "causeway.yaml:4:19 bootstrap.uri: 'coaps' is not available in this version; use coap"],
    [
      "{ uri: coap://a, security: { psk: {} } }",
      "causeway.yaml:4:39 bootstrap.security: secure transports are not available in this version; use none",
    ],
    [
      "{ uri: coap://a, holdOff: 5 }",
      "causeway.yaml:4:38 bootstrap.holdOff: expected a duration such as 500ms, 5s, 10m, 24h, found 5",
    ],
    ["{ uri: coap://a, pack: yes }", 'causeway.yaml:4:35 bootstrap.pack: expected try | never, found "yes"'],
    ["{ uri: coap://a, holdof: 5s }", "causeway.yaml:4:29 bootstrap.holdof: unknown key (did you mean 'holdOff'?)"],
  ])("%s", async (text, problem) => {
    const { config, problems } = await read(section(text));
    expect(problems).toContain(problem);
    expect(config).toBeUndefined();
  });

  it("a gateway needs one or the other", async () => {
    const { problems } = await read(GOOD.replace(/servers:\n(?: .*\n)*/, ""));
    expect(problems).toEqual(["causeway.yaml:1:1: 'servers' or 'bootstrap' is missing"]);
  });
});

function reference(text: string): string {
  return ["$", "{", text, "}"].join("");
}

describe("secrets", () => {
  it("come from credentials, environment or files, without the last line feed", async () => {
    await writeFile(join(folder, "psk"), "abc\n");
    const environment = { CREDENTIALS_DIRECTORY: folder, PSK: "def" };
    expect(await resolveSecret(reference("credential:psk"), environment)).toBe("abc");
    expect(await resolveSecret(reference("env:PSK"), environment)).toBe("def");
    expect(await resolveSecret(reference(`file:${join(folder, "psk")}`), environment)).toBe("abc");
    expect(await resolveSecret("plain", environment)).toBe("plain");
  });

  it.each(["credential:none", "env:NONE", "file:/none"].map(reference))(
    "%s that is missing names the reference",
    async (text) => {
      await expect(resolveSecret(text, { CREDENTIALS_DIRECTORY: folder })).rejects.toMatchObject({
        code: "CONFIG_SECRET_MISSING",
      });
    },
  );
});
