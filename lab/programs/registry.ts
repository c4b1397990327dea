import { dns } from './dns.ts';
import { exit } from './exit.ts';
import { http } from './http.ts';
import { load } from './load.ts';
import type { Program } from './program-context.ts';
import { sleep } from './sleep.ts';
import { tcpClient } from './tcp-client.ts';
import { tcpServer } from './tcp-server.ts';
import { udpClient } from './udp-client.ts';
import { udpEcho } from './udp-echo.ts';

/** Every built-in program by the name in its image. Manifests are checked against the same list of names. */
export const programs: Record<string, Program> = {
  dns,
  exit,
  http,
  load,
  sleep,
  'tcp-client': tcpClient,
  'tcp-server': tcpServer,
  'udp-client': udpClient,
  'udp-echo': udpEcho,
};
