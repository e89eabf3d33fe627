import { ownNamespace } from "../../import/libvirt/index.ts";
import type { Profile } from "../../profile/index.ts";
import type { Difference } from "./difference.ts";
import { type Element, element, textElement } from "./xml.ts";

/** What libvirt has no element for, where it keeps the words of others; it is there in any case, and says who wrote the domain. @see https://libvirt.org/formatdomain.html#general-metadata */
export function writeMetadata(profile: Profile, parts: readonly Difference[]): Element {
  const { iothreads } = profile;
  const isNamed = iothreads.some((name, index) => name !== `iothread${index + 1}`);
  const names = isNamed ? iothreads : [];
  const isLater = bootsFromZero(profile);
  return element(
    "metadata",
    {},
    element(
      "qlaunch:profile",
      { "xmlns:qlaunch": ownNamespace },
      isLater ? element("qlaunch:boot", { first: 0 }) : undefined,
      ...names.map((name, index) => element("qlaunch:iothread", { id: index + 1, name })),
      ...parts.map(({ steps, value }) =>
        textElement("qlaunch:part", jsonText(value), { path: steps.join("/") }),
      ),
    ),
  );
}

/** JSON of ASCII alone: what XML cannot have is escaped. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function bootsFromZero({ disks, networks }: Profile): boolean {
  return [...disks, ...networks].some(({ boot }) => boot === 0);
}

/** libvirt counts places in the boot order from 1: where a profile has a 0, all are one later in the domain. */
export function bootingFromOne(profile: Profile): Profile {
  if (!bootsFromZero(profile)) return profile;
  const later = <Device extends { boot?: number | undefined }>(device: Device) =>
    device.boot === undefined ? device : { ...device, boot: device.boot + 1 };
  return { ...profile, disks: profile.disks.map(later), networks: profile.networks.map(later) };
}
