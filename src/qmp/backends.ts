interface InetAddress {
  host: string;
  port: string;
  numeric?: boolean;
  to?: number;
  ipv4?: boolean;
  ipv6?: boolean;
  "keep-alive"?: boolean;
}

interface UnixAddress {
  path: string;
  abstract?: boolean;
  tight?: boolean;
}

/** A socket as netdevs spell it. */
export type SocketAddress =
  | ({ type: "inet" } & InetAddress)
  | ({ type: "unix" } & UnixAddress)
  | { type: "vsock"; cid: string; port: string }
  | { type: "fd"; str: string };

/** A socket as character devices spell it. */
export type SocketAddressLegacy =
  | { type: "inet"; data: InetAddress }
  | { type: "unix"; data: UnixAddress }
  | { type: "vsock"; data: { cid: string; port: string } }
  | { type: "fd"; data: { str: string } };

/** The networks that `netdev_add` can make; others go through `executeRaw`. */
export type NetdevAddArguments =
  | {
      type: "user";
      id: string;
      restrict?: boolean;
      ipv4?: boolean;
      ipv6?: boolean;
      hostname?: string;
      net?: string;
      host?: string;
      dhcpstart?: string;
      dns?: string;
      hostfwd?: readonly { str: string }[];
      guestfwd?: readonly { str: string }[];
    }
  | {
      type: "tap";
      id: string;
      ifname?: string;
      fd?: string;
      fds?: string;
      script?: string;
      downscript?: string;
      br?: string;
      helper?: string;
      sndbuf?: number;
      vnet_hdr?: boolean;
      vhost?: boolean;
      vhostfd?: string;
      vhostfds?: string;
      queues?: number;
      "poll-us"?: number;
    }
  | { type: "bridge"; id: string; br?: string; helper?: string }
  | { type: "stream"; id: string; addr: SocketAddress; server?: boolean }
  | { type: "vhost-user"; id: string; chardev: string; vhostforce?: boolean; queues?: number }
  | { type: "vhost-vdpa"; id: string; vhostdev?: string; vhostfd?: string; queues?: number };

interface ChardevCommon {
  logfile?: string;
  logappend?: boolean;
}

/** The backends that `chardev-add` can make; others go through `executeRaw`. */
export type ChardevBackend =
  | { type: "null"; data: ChardevCommon }
  | { type: "pty"; data: ChardevCommon }
  | { type: "file"; data: ChardevCommon & { out: string; in?: string; append?: boolean } }
  | { type: "ringbuf"; data: ChardevCommon & { size?: number } }
  | {
      type: "socket";
      data: ChardevCommon & {
        addr: SocketAddressLegacy;
        server?: boolean;
        wait?: boolean;
        nodelay?: boolean;
        telnet?: boolean;
        websocket?: boolean;
      };
    };
