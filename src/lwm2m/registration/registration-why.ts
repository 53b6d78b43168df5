import type { RegistrationReason } from "../why.js";
import type { Registration, RegistrationAction, RegistrationEvent } from "./registration.js";

/** A step of `next` as it is told to whoever asks why. */
export function registrationReason(
  event: RegistrationEvent,
  before: Registration,
  after: Registration,
  actions: readonly RegistrationAction[],
): RegistrationReason {
  return {
    what: "registration",
    event: eventText(event),
    before: before.state,
    after: after.state,
    actions: actions.map(actionText),
  };
}

function eventText(event: RegistrationEvent): string {
  switch (event.kind) {
    case "rejected":
      return `rejected ${event.code}`;
    case "failed":
      return event.reason === "unreachable" ? "failed, nothing listens there" : "failed";
    case "estranged":
      return `estranged, ${event.because}`;
    default:
      return event.kind;
  }
}

function actionText(action: RegistrationAction): string {
  switch (action.kind) {
    case "register":
      return `register ${action.version}`;
    case "wait":
      return `wait ${Number((action.ms / 1000).toFixed(1))} s`;
    default:
      return action.kind;
  }
}
