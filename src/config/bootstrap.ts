import { object } from "../base/object-schema.js";
import { durationMs, type Infer, oneOf, type Problems, type WithSource } from "../base/schema.js";
import type { BootstrapConfig } from "./config.js";
import { historySetting, readSecurity, securitySetting, serverUri } from "./server-settings.js";

export const bootstrapSection = object(
  { uri: serverUri },
  {
    security: securitySetting,
    holdOff: durationMs,
    accountTimeout: durationMs,
    pack: oneOf("try", "never"),
    history: historySetting,
  },
);

export function readBootstrap(
  { value }: WithSource<Infer<typeof bootstrapSection>>,
  problems: Problems,
): BootstrapConfig {
  readSecurity(value.security, "bootstrap.security", problems);
  const { uri, holdOff = 0, accountTimeout = 0, pack = "never", history = "send" } = value;
  return {
    account: { uri, holdOffS: Math.round(holdOff / 1000), accountTimeoutS: Math.ceil(accountTimeout / 1000) },
    pack,
    history,
  };
}
