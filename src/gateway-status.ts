import type { Exposure } from "./exposure.js";
import type { Field, FieldStatus } from "./field/field.js";
import type { BootstrapStatus, Lwm2mClient, RegistrationStatus } from "./lwm2m/client.js";
import type { PointStatus } from "./mapping/point-status.js";
import type { Outbox, OutboxCounters } from "./outbox/outbox.js";

export interface EndpointStatus {
  readonly endpoint: string;
  readonly servers: readonly RegistrationStatus[];
  /** Absent where no bootstrap server is known. */
  readonly bootstrap?: BootstrapStatus;
}

export interface GatewayStatus {
  /** The gateway's own one is the first. */
  readonly endpoints: readonly EndpointStatus[];
  readonly field: FieldStatus;
  /** By device: the values after scaling. */
  readonly points: ReadonlyMap<string, readonly PointStatus[]>;
  readonly outbox: OutboxCounters;
}

interface OpenEndpoint {
  readonly endpoint: string;
  readonly client: Lwm2mClient;
}

export async function statusOf(
  endpoints: readonly OpenEndpoint[],
  field: Field,
  { pointsOf }: Exposure,
  outbox: Outbox,
): Promise<GatewayStatus> {
  const fieldStatus = field.status();
  return {
    endpoints: endpoints.map(({ endpoint, client: { registrations: servers, bootstrap } }) => ({
      endpoint,
      servers,
      ...(bootstrap === undefined ? {} : { bootstrap }),
    })),
    field: fieldStatus,
    points: pointsOf(fieldStatus.devices),
    outbox: await outbox.counters(),
  };
}
