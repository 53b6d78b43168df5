import { NO_BYTES } from "../../base/bytes.js";
import type { CoapRequest } from "../../coap/request.js";
import { ContentFormat } from "../codec/formats.js";
import { formatLinks, link } from "../codec/links.js";
import type { ObjectTree } from "../tree.js";
import type { BootstrapOperation } from "./bootstrap.js";
import { bootstrapInstances } from "./bootstrap-draft.js";

/** In which form the client wants what a bootstrap server writes. */
const PREFERRED = ContentFormat.senmlCbor;

/** OMA LwM2M Transport 1.2 §6.4.2; `root` is the path of the bootstrap server's URI. */
export function bootstrapRequest(
  operation: BootstrapOperation,
  root: readonly string[],
  endpoint: string,
  tree: ObjectTree,
): CoapRequest {
  const query = [`ep=${endpoint}`];
  switch (operation) {
    case "pack": {
      const account = formatLinks([...bootstrapInstances(tree)].map((path) => link(`/${path}`)));
      const path = [...root, "bspack"];
      return { method: "GET", path, query: [...query, `acc=${account}`], accept: PREFERRED, payload: NO_BYTES };
    }
    case "request":
      return { method: "POST", path: [...root, "bs"], query: [...query, `pct=${PREFERRED}`], payload: NO_BYTES };
    case "bare-request":
      return { method: "POST", path: [...root, "bs"], query, payload: NO_BYTES };
  }
}
