import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { FlowFollower } from './flow-follower.ts';
import type { ToldFlow } from './flow-reader.ts';
import { Lab } from './lab.ts';

// Services as pods use them: by name and address, in a cluster without kube-proxy.

let lab: Lab;
let followers: FlowFollower[] = [];

beforeAll(async () => {
  lab = await Lab.up();
  followers = ['node1', 'node2'].map((node) => new FlowFollower(lab.agent(node)));
});

afterAll(async () => {
  await Promise.all(followers.map((follower) => follower.stop()));
  await lab?.down();
});

/** All so far. */
const flows = (): ToldFlow[] => followers.flatMap((follower) => follower.flows);

async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('pods that reach each other by name', () => {
  beforeAll(async () => {
    await lab.scenario('guestbook');
    // Looked at below.
    await lab.scenario('drops');
    await lab.running(8);
  });

  test('are told with the Service they asked for, at the client’s end, both ways', async () => {
    const through = await until('flows through the Service', async () => {
      const found = flows().filter(
        // Before the server runs its Service refuses, and those flows end at no pod.
        ({ source, destination, trigger, verdict }) =>
          trigger !== TRIGGER.TRANSLATION &&
          verdict === VERDICT.FORWARDED &&
          (destination.service ?? source.service)?.name === 'maindb',
      );
      return found.some(({ reply }) => reply === 1) && found.some(({ reply }) => reply === 0) ? found : undefined;
    });
    for (const { source, destination, reply, direction } of through) {
      const backend = reply === 1 ? source : destination;
      expect(backend).toMatchObject({
        workloadName: 'maindb',
        service: { namespace: 'default', name: 'maindb', port: 3306 },
      });
      expect(backend.service!.address).not.toBe(backend.address);
      expect(direction).toBe(2);
    }
  });

  test('tell what is exchanged at the client’s socket, before and after', async () => {
    const exchanged = await until('translations to the Service', async () => {
      const found = flows().filter(
        ({ trigger, destination }) => trigger === TRIGGER.TRANSLATION && destination.service?.name === 'maindb',
      );
      return found.some(({ verdict }) => verdict === VERDICT.TRANSLATED) ? found : undefined;
    });
    for (const flow of exchanged) {
      const { source, destination, verdict, observation, destinationPort } = flow;
      const before = observation === OBSERVATION.PRE_XLATE_FWD;
      expect(verdict).toBe(before ? VERDICT.TRACED : VERDICT.TRANSLATED);
      expect(source.workloadName).toMatch(/^web2?$/);
      expect(source.cgroupId).toBeGreaterThan(0);
      expect(destinationPort).toBe(3306);
      if (before) expect(destination.address).toBe(destination.service!.address);
      else expect(destination.workloadKind).not.toBe('Service');
      expect([flow.packetsOriginal, flow.packetsReply, flow.bytesOriginal, flow.bytesReply]).toEqual([0, 0, 0, 0]);
    }
  });

  test('ask DNS through its Service', async () => {
    const asked = await until('a question to DNS', async () =>
      flows().find(
        ({ trigger, destination }) => trigger !== TRIGGER.TRANSLATION && destination.service?.name === 'kube-dns',
      ),
    );
    expect(asked).toMatchObject({ protocol: 17, destinationPort: 53, destination: { workloadName: 'cluster-dns' } });
  });
});

describe('a thousand Services', () => {
  test('are all reached, the last as the first', { timeout: 300_000 }, async () => {
    await lab.scenario('thousand-services');
    for (const name of ['service-0', 'service-999']) {
      const through = await until(
        `flows through ${name}`,
        async () => {
          const found = flows().filter(
            // Before the server runs its Services refuse, and those flows end at no pod.
            ({ trigger, verdict, destination }) =>
              trigger !== TRIGGER.TRANSLATION && verdict === VERDICT.FORWARDED && destination.service?.name === name,
          );
          return found.length >= 5 ? found : undefined;
        },
        100_000,
      );
      for (const { destination } of through) expect(destination.workloadName).toBe('server');
    }
  });
});

// Last: who calls a Service without backends is let in after ten seconds.
describe('the drops scenario', () => {
  const drops = (client: string, reason: number) => async () => {
    const found = flows().filter(
      ({ source, verdict, dropReason }) =>
        source.workloadName === client && verdict === VERDICT.DROPPED && dropReason === reason,
    );
    return found.length >= 2 ? found : undefined;
  };
  /** Sent again by the kernel, from the same port. */
  const againFromOnePort = (found: readonly ToldFlow[]) =>
    new Set(found.map(({ sourcePort }) => sourcePort)).size < found.length;

  test('loses each SYN to an address that no Service owns', async () => {
    const lost = drops('stale-client', DROP_REASON.STALE_OR_UNROUTABLE_IP);
    const found = await until('SYNs are lost, and lost again', async () => {
      const told = await lost();
      return told !== undefined && againFromOnePort(told) ? told : undefined;
    });
    for (const { tcpFlags, destinationPort, direction } of found) {
      expect({ tcpFlags, destinationPort, direction }).toEqual({
        tcpFlags: TCP_FLAG.SYN,
        destinationPort: 80,
        direction: 2,
      });
    }
  });

  test('refuses at once where no backend is ready, one flow each, told with the Service', async () => {
    const found = await until('connections are refused', drops('early-client', DROP_REASON.SERVICE_BACKEND_NOT_FOUND));
    for (const { source, destination, destinationPort } of found) {
      expect(source.pod).toMatch(/^early-client-/);
      expect(destination).toMatchObject({ namespace: 'drops', workloadKind: 'Service', workloadName: 'empty' });
      expect(destination.service).toMatchObject({ namespace: 'drops', name: 'empty', port: 80 });
      expect(destinationPort).toBe(80);
    }
  });

  test('denies by policy who reaches a backend through its Service', async () => {
    await until('the policy drops', async () => {
      const denied = flows().filter(({ dropReason }) => dropReason === DROP_REASON.POLICY_DENIED);
      return denied.some(({ destination }) => destination.workloadName === 'vault') || undefined;
    });
  });
});
