import { describe, expect, it } from "vitest";
import { accountProblems } from "../../../src/lwm2m/account/account-problems.js";
import {
  accountsOf,
  addAccountObjects,
  addBootstrapAccount,
  addServerAccount,
} from "../../../src/lwm2m/account/accounts.js";
import type { Path } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { model, shippedModels } from "../../fakes/lwm2m-client.js";

const KEY = Uint8Array.of(1);

/** Two good accounts at instances 0 and 1, the bootstrap server at /0/2. */
function accounts(): ObjectTree {
  const tree = new ObjectTree();
  addAccountObjects(tree, shippedModels, () => {
    throw new Error("nothing is executed");
  });
  for (const id of [0, 1]) {
    const account = { uri: `coap://192.0.2.${id + 1}`, shortServerId: id + 101, lifetimeS: 60 };
    addServerAccount(tree, id, account, 0);
  }
  addBootstrapAccount(tree, 2, { uri: "coap://192.0.2.9" }, 0);
  return tree;
}

type Change = readonly [path: Path, value: Value | undefined];

function changed(...changes: readonly Change[]): ObjectTree {
  const tree = accounts();
  for (const [path, value] of changes) {
    const [objectId = -1, instanceId = -1] = path;
    if (value !== undefined) tree.set(path, { value, atMs: 0 });
    else if (path.length === 2) tree.removeInstance(objectId, instanceId);
    else tree.removeResource(path);
  }
  return tree;
}

describe("accountsOf", () => {
  it("gives the accounts with the instances they come from", () => {
    expect(accountsOf(changed([[1, 0, 1], 300]))).toEqual({
      bootstrap: {
        uri: "coap://192.0.2.9",
        securityMode: "none",
        securityInstanceId: 2,
        holdOffS: 0,
        accountTimeoutS: 0,
      },
      servers: [
        {
          uri: "coap://192.0.2.1",
          securityMode: "none",
          securityInstanceId: 0,
          serverInstanceId: 0,
          shortServerId: 101,
          lifetimeS: 300,
          send: "open",
          notify: "NON",
        },
        expect.objectContaining({ shortServerId: 102, securityInstanceId: 1, serverInstanceId: 1 }),
      ],
    });
  });

  it("pairs by short server id, not by instance", () => {
    const { servers } = accountsOf(changed([[0, 0, 10], 102], [[0, 1, 10], 101]));
    expect(servers.map(({ shortServerId, uri }) => [shortServerId, uri])).toEqual([
      [101, "coap://192.0.2.2"],
      [102, "coap://192.0.2.1"],
    ]);
  });

  it.each<[string, ...Change[]]>([
    ["has no partner", [[0, 0, 10], 7]],
    ["has no URI", [[0, 0, 0], undefined]],
    ["has an unknown security mode", [[0, 0, 2], 9]],
    ["has no Server object instance", [[1, 0], undefined]],
  ])("leaves out what %s", (_what, ...changes) => {
    expect(accountsOf(changed(...changes)).servers.map(({ shortServerId }) => shortServerId)).toEqual([102]);
  });
});

describe("accountProblems", () => {
  it("has nothing against good accounts", () => {
    expect(accountProblems(accounts())).toEqual([]);
  });

  it.each<[problems: readonly string[], ...Change[]]>([
    [["/0 has no server"], [[0, 0], undefined], [[0, 1], undefined], [[1, 0], undefined], [[1, 1], undefined]],
    [
      ["/0 has more than one bootstrap server", "/1/1 has no partner in object 0 (short server id 102)"],
      [[0, 1, 1], true],
    ],
    [["/0/0 has no partner in object 1 (short server id 101)"], [[1, 0], undefined]],
    [["/1/0 has no partner in object 0 (short server id 101)"], [[0, 0], undefined]],
    [["/0/0/0 is no URI of a server"], [[0, 0, 0], undefined]],
    [["/0/0/0 is no URI of a server"], [[0, 0, 0], "192.0.2.1"]],
    [
      ["/0/0/0 is of scheme http, which is not supported here", "/0/0/2 does not fit http"],
      [[0, 0, 0], "http://a"],
    ],
    [["/0/0/1 is missing"], [[0, 0, 1], undefined]],
    [["/0/0/2 names no security mode"], [[0, 0, 2], undefined]],
    [["/0/0/2 names no security mode"], [[0, 0, 2], 5]],
    [["/0/0/2 does not fit coaps"], [[0, 0, 0], "coaps://192.0.2.1"]],
    [
      ["/0/0/2 does not fit coap", "/0/0/3 is missing", "/0/0/5 is missing"],
      [[0, 0, 2], 0],
    ],
    [["/0/0/5 is missing"], [[0, 0, 0], "coaps://a"], [[0, 0, 2], 0], [[0, 0, 3], KEY], [[0, 0, 5], Uint8Array.of()]],
    [["/0/0/4 is missing"], [[0, 0, 0], "coaps://a"], [[0, 0, 2], 2], [[0, 0, 3], KEY], [[0, 0, 5], KEY]],
    [[], [[0, 0, 0], "coaps+tcp://a"], [[0, 0, 2], 4], [[0, 0, 4], KEY]],
    [["/0/2/0 is no URI of a server"], [[0, 2, 0], ""]],
    [
      ["/0/0/10 is no short server id", "/1/0 has no partner in object 0 (short server id 101)"],
      [[0, 0, 10], undefined],
    ],
    [
      ["/0/0/10 is no short server id", "/1/0 has no partner in object 0 (short server id 101)"],
      [[0, 0, 10], 65_535],
    ],
    [
      ["/0/1/10 is the same as in /0/0", "/1/1 has no partner in object 0 (short server id 102)"],
      [[0, 1, 10], 101],
    ],
    [
      ["/1/1/0 is the same as in /1/0", "/0/1 has no partner in object 1 (short server id 102)"],
      [[1, 1, 0], 101],
    ],
    [["/0/0/17 links to 21:3, which does not exist"], [[0, 0, 17], { objectId: 21, instanceId: 3 }]],
    [[], [[0, 0, 17], { objectId: 65_535, instanceId: 65_535 }]],
    [["/1/0/1 is missing"], [[1, 0, 1], undefined]],
    [["/1/0/6 is missing"], [[1, 0, 6], undefined]],
    [["/1/0/7 is missing"], [[1, 0, 7], undefined]],
    [["/1/0/7 is no binding"], [[1, 0, 7], "X"]],
    [["/1/0/17 must not be 0"], [[1, 0, 17], 0]],
    [["/1/0/20 must not be 0"], [[1, 0, 20], 0]],
  ])("%j", (problems, ...changes) => {
    expect(accountProblems(changed(...changes))).toEqual(problems);
  });

  it("knows which transports the client has", () => {
    const tree = changed([[0, 0, 0], "coap+tcp://192.0.2.1"]);
    expect(accountProblems(tree, new Set(["coap"]))).toEqual([
      "/0/0/0 is of scheme coap+tcp, which is not supported here",
    ]);
  });

  it("wants what every device has", () => {
    const tree = accounts();
    tree.addInstance(model(3), 0);
    tree.set([3, 0, 16], { value: "U", atMs: 0 });
    expect(accountProblems(tree)).toEqual(["/3/0/11 is missing"]);
  });
});
