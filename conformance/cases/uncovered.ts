import type { UncoveredCase } from "../case.js";

const SECURITY = "no secure transport in this version";
const TCP = "no CoAP over TCP in this version";
const EMPTY = "the ETS has no procedure";
const FIRMWARE = "the gateway has no Firmware Update object";
const ABSENT = (name: string): string => `the gateway has no ${name} object`;
const SAME = (id: string): string => `the ETS takes the result of ${id}`;

/** What is not run, in the order of the ETS; a group shares its reason. */
const GROUPS: readonly (readonly [reason: string, ...cases: (readonly [id: string, title: string])[]])[] = [
  [
    SECURITY,
    ["1.1-int-1", "Client Initiated Bootstrap Full (PSK)"],
    ["1.1-int-2", "Client Initiated Bootstrap Full (Cert)"],
    ["1.1-int-10", "Bootstrap with EST"],
    ["1.2-int-11", "Bootstrap with OSCORE"],
  ],
  ["the gateway has no smartcard", ["1.1-int-3", "Simple Bootstrap from Smartcard"]],
  ["no LwM2M over MQTT in this version", ["1.2-int-19", "Bootstrap over MQTT"]],
  [TCP, ["1.1-int-106", "Initial Registration with TCP binding"]],
  [
    EMPTY,
    ["1.1-int-202", "Querying basic information in Opaque format"],
    ["1.1-int-210", "Setting basic information in Opaque format"],
    ["1.1-int-271", "Create Multiple Resource Instance"],
  ],
  [SAME("1.1-int-1630"), ["1.1-int-270", "Create Object Instance"]],
  [SAME("1.1-int-1635"), ["1.1-int-290", "Delete Object Instance"]],
  [
    SECURITY,
    ["1.1-int-401", "UDP Channel Security - Pre-shared Key Mode"],
    ["1.1-int-402", "UDP Channel Security - Certificate Mode"],
    ["1.1-int-403", "UDP Channel Security - Certificate, server identity failure"],
    ["1.1-int-404", "TCP Channel Security - Certificate Mode"],
    ["1.1-int-405", "OSCORE"],
    ["1.1-int-406", "TCP Channel Security - Pre-shared Key Mode"],
  ],
  [SAME("1.1-int-215"), ["1.1-int-551", "Server: Access Check to the Resources"]],
  [EMPTY, ["1.1-int-555", "Disable (De-Registration) capability"]],
  [SAME("1.1-int-104"), ["1.1-int-556", "Update Registration capability"]],
  [
    EMPTY,
    ["1.1-int-560", "Delayed Report Notification capability"],
    ["1.1-int-565", "Server: Create Object Instance"],
    ["1.1-int-566", "Server: Delete Object Instance"],
  ],
  [SAME("1.1-int-241"), ["1.1-int-655", "Reboot capability"]],
  [EMPTY, ["1.1-int-656", "Factory Reset capability"], ["1.1-int-657", "Error Code functionality"]],
  [SAME("1.1-int-301"), ["1.1-int-660", "Basic Observation of Device"]],
  [
    EMPTY,
    ["1.1-int-661", "Extended Observation of Device"],
    ["1.1-int-670", "Device: Create Multiple Resource Instances"],
  ],
  [
    EMPTY,
    ["1.1-int-705", "Connectivity Monitoring: set writable resources"],
    ["1.1-int-711", "Connectivity Monitoring: extended observation"],
    ["1.1-int-720", "Connectivity Monitoring: create multiple resource instances"],
    ["1.1-int-730", "Connectivity Monitoring: create object instance"],
    ["1.1-int-735", "Connectivity Monitoring: delete object instance"],
  ],
  [
    FIRMWARE,
    ["1.1-int-751", "Firmware: query readable resources"],
    ["1.1-int-755", "Firmware: write Package"],
    ["1.1-int-756", "Firmware: write Package URI"],
    ["1.1-int-760", "Firmware: basic observation"],
    ["1.1-int-770", "Successful firmware update via CoAP"],
    ["1.1-int-771", "Successful firmware update via alternative mechanism"],
    ["1.1-int-772", "Firmware error: install without package"],
    ["1.1-int-773", "Firmware error: not enough storage"],
    ["1.1-int-774", "Firmware error: out of memory"],
    ["1.1-int-775", "Firmware error: connection lost"],
    ["1.1-int-776", "Firmware error: integrity check"],
    ["1.1-int-777", "Firmware error: unsupported package"],
    ["1.1-int-778", "Firmware error: invalid URI"],
    ["1.1-int-779", "Firmware error: installation failure"],
  ],
  [EMPTY, ["1.1-int-780", "Firmware error: unsupported protocol"]],
  [
    EMPTY,
    ["1.1-int-805", "Location: set writable resources"],
    ["1.1-int-811", "Location: extended observation"],
    ["1.1-int-820", "Location: create multiple resource instances"],
    ["1.1-int-830", "Location: create object instance"],
    ["1.1-int-835", "Location: delete object instance"],
  ],
  [
    EMPTY,
    ["1.1-int-911", "Connectivity Statistics: extended observation"],
    ["1.1-int-920", "Connectivity Statistics: create multiple resource instances"],
    ["1.1-int-930", "Connectivity Statistics: create object instance"],
    ["1.1-int-935", "Connectivity Statistics: delete object instance"],
  ],
  [
    ABSENT("Cellular Connectivity"),
    ["1.1-int-1200", "Cellular Connectivity: query readable resources"],
    ["1.1-int-1201", "Cellular Connectivity 1.1: query readable resources"],
    ["1.1-int-1202", "Cellular Connectivity 1.1: set power saving mode"],
    ["1.1-int-1203", "Cellular Connectivity 1.1: observe power saving mode"],
    ["1.1-int-1204", "Cellular Connectivity: observe timers"],
    ["CONMGMT-1.1-int-1250", "APN configuration"],
    ["CONMGMT-1.1-int-1350", "Bearer Selection"],
  ],
  [
    EMPTY,
    ["1.1-int-1600", "Portfolio: query readable resources"],
    ["1.1-int-1605", "Portfolio: set writable resources"],
    ["1.1-int-1610", "Portfolio: basic observation"],
    ["1.1-int-1611", "Portfolio: extended observation"],
    ["1.1-int-1620", "Portfolio: create multiple resource instances"],
  ],
];

export const uncovered: readonly UncoveredCase[] = GROUPS.flatMap(([reason, ...cases]) =>
  cases.map(([id, title]) => ({ id, title, reason })),
);
