import { linksOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectEqual, expectTrue } from "../difference.js";
import type { Server } from "../server.js";

const RESOURCES = [
  "</3/0/1>",
  "</3/0/2>",
  "</3/0/3>",
  "</3/0/4>",
  "</3/0/6>;dim=2",
  "</3/0/7>;dim=2",
  "</3/0/8>;dim=2",
  "</3/0/9>",
  "</3/0/11>;dim=1",
  "</3/0/16>",
];
const VOLTAGE = "</3/0/7>;dim=2;gt=6;lt=1;st=1";

/**
 * In 264 and 266 the ETS prints the default periods of the Server object at /3, but not in 260 with the same
 * configuration; OMA LwM2M Core 1.2 §6.3.2 shows what is attached or inherited, and its examples no defaults.
 */
const NO_DEFAULTS = "with 260 and Core 6.3.2, default periods are not shown at /3";

/** ETS §6.3, Discover and Write-Attributes, and §6.6.9.2. Attributes are in alphabetic order here. */
export const discovery: readonly ConformanceCase[] = [
  {
    id: "1.1-int-260",
    title: "Discover Command",
    async run({ server }) {
      await expectLinks(server, "/3", ["</3>", "</3/0>", ...RESOURCES]);
      await server.writeAttributes("/3?pmin=10&pmax=200");
      // The target shows what it inherits.
      await expectLinks(server, "/3/0", ["</3/0>;pmax=200;pmin=10", ...RESOURCES]);
      await server.writeAttributes("/3/0/7?lt=1&gt=6&st=1");
      await expectLinks(server, "/3/0", [...RESOURCES.filter((link) => !link.startsWith("</3/0/7>")), VOLTAGE]);
      const links = await discover(server, "/3/0/7");
      expectEqual("first link of Discover /3/0/7", links[0], "</3/0/7>;dim=2;gt=6;lt=1;pmax=200;pmin=10;st=1");
    },
  },
  {
    id: "1.1-int-261",
    title: "Write-Attribute Operation on a multiple resource",
    async run({ server }) {
      expectEqual("Discover /3/0/11", await discover(server, "/3/0/11"), ["</3/0/11>;dim=1", "</3/0/11/0>"]);
      await server.writeAttributes("/3?pmin=10&pmax=200");
      await server.writeAttributes("/3/0?pmax=320");
      await server.writeAttributes("/3/0/11/0?pmax=100&epmin=1&epmax=20");
      expectEqual("Discover /3/0/11 with attributes", await discover(server, "/3/0/11"), [
        "</3/0/11>;dim=1;pmax=320;pmin=10",
        "</3/0/11/0>;epmax=20;epmin=1;pmax=100",
      ]);
    },
  },
  {
    id: "1.2-int-264",
    title: "Discover with depth 1",
    note: NO_DEFAULTS,
    async run({ server }) {
      await setDefaultPeriods(server);
      expectEqual("Discover /3?depth=1", await discover(server, "/3?depth=1"), ["</3>", "</3/0>"]);
      await server.writeAttributes("/3/0?pmax=200");
      const after = await discover(server, "/3?depth=1");
      expectEqual("Discover /3?depth=1 with attributes", after, ["</3>", "</3/0>;pmax=200"]);
    },
  },
  {
    id: "1.2-int-266",
    title: "Discover with depth 3",
    note: NO_DEFAULTS,
    async run({ server }) {
      await setDefaultPeriods(server);
      await expectLinks(server, "/3?depth=2", ["</3>", "</3/0>", ...RESOURCES]);
      await server.writeAttributes("/3?pmin=10&pmax=200");
      await server.writeAttributes("/3/0/7?lt=1&gt=6&st=1");
      await server.writeAttributes("/3/0/7/1?gt=8");
      const instances = ["</3/0/6/0>", "</3/0/6/1>", "</3/0/7/0>", "</3/0/7/1>;gt=8", "</3/0/8/0>", "</3/0/8/1>"];
      const others = RESOURCES.filter((link) => !link.startsWith("</3/0/7>"));
      await expectLinks(server, "/3?depth=3", ["</3>;pmax=200;pmin=10", "</3/0>", ...others, VOLTAGE, ...instances]);
    },
  },
  {
    id: "1.1-int-951",
    title: "Multi-Servers & Attributes",
    servers: 2,
    async run({ server, second }) {
      await second.next("Register");
      await server.writeAttributes("/3/0?pmin=2&pmax=10");
      await second.writeAttributes("/3/0?pmin=15&pmax=50");
      const others = ["</3/0/0>", "</3/0/1>", "</3/0/2>", "</3/0/3>", "</3/0/11>;dim=1", "</3/0/16>"];
      await expectLinks(server, "/3/0", ["</3/0>;pmax=10;pmin=2", ...others]);
      await expectLinks(second, "/3/0", ["</3/0>;pmax=50;pmin=15", ...others]);
    },
  },
];

async function discover(server: Server, target: string): Promise<readonly string[]> {
  const answer = await server.discover(target);
  expectCode(answer, "2.05");
  expectEqual(`Content-Format of ${answer.of}`, answer.contentFormat, 40);
  return linksOf(answer);
}

async function expectLinks(server: Server, target: string, expected: readonly string[]): Promise<void> {
  const links = await discover(server, target);
  for (const link of expected) expectTrue(`Discover ${target} shows ${link}`, links.includes(link), links);
}

async function setDefaultPeriods(server: Server): Promise<void> {
  await server.write("/1/0/2", 1);
  await server.write("/1/0/3", 10);
}
