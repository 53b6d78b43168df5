import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent } from "../difference.js";
import { payloadOf } from "../payload.js";

/** ETS §6.6.4.9 and §6.6.4.10. */
export const instances: readonly ConformanceCase[] = [
  {
    id: "1.1-int-680",
    title: "Device: Create Object Instance",
    async run({ server }) {
      const values = { "/3/1/15": "Europe/Paris" };
      expectCode(await server.ask("POST", "/3", payloadOf("/3", values, ContentFormat.senmlCbor)), "4.05");
      expectCode(await server.ask("POST", "/3"), "4.05");
    },
  },
  {
    id: "1.1-int-685",
    title: "Device: Delete Object Instance",
    async run({ server }) {
      expectCode(await server.ask("DELETE", "/3/0"), "4.05");
      expectContent(await server.read("/3/0/16"), { "/3/0/16": "U" });
    },
  },
];
