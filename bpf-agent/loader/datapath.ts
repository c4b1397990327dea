/** The datapath as the agent uses it: load, attach to interfaces, read records, sweep. All kernel details end here. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RingConsumer } from '../events/ring-consumer.ts';
import { AgentStateMap } from '../maps/agent-state.ts';
import { type ConnectionMap, connectionMap } from '../maps/connections.ts';
import { CounterMap } from '../maps/counters.ts';
import { DatapathStateMap } from '../maps/datapath-state.ts';
import { DNS_MAPS, type DnsSampleCounts, dnsSampleCounts } from '../maps/dns-samples.ts';
import { type EndpointMap, endpointMap } from '../maps/endpoints.ts';
import { EXTERNAL_COUNTS_MAP, EXTERNAL_MAPS, type ExternalMaps, externalMaps } from '../maps/external.ts';
import { IdentityMap } from '../maps/identities.ts';
import { type PolicyMap, type PolicyRangeMap, policyMap, policyRangeMap } from '../maps/policies.ts';
import { SERVICE_MAPS, type ServiceMaps, serviceMaps } from '../maps/services.ts';
import { type DatapathTimeouts, DEFAULT_TIMEOUTS, encodeSettings } from '../maps/settings.ts';
import { decodeSweepResult, SWEEP_RESULT_TWIN, type SweepResult } from '../maps/sweep-result.ts';
import { ensureBpffs } from './bpffs.ts';
import { CgroupHooks, SOCKET_PROGRAMS } from './cgroup-hooks.ts';
import { attachClsact, detachClsact, hasClsact } from './clsact.ts';
import { kernelTick } from './libc.ts';
import { LoaderError } from './loader-error.ts';
import { BpfObject } from './object.ts';
import { runSyscall } from './prog-test-run.ts';
import { attachTcx, type Hook, openPinnedTcx, releaseTcx, type TcxLink, tcxUnsupported, updateTcx } from './tcx.ts';
import { hasPinnedUplinks, UPLINK_PROGRAMS, UplinkHooks } from './uplink-hooks.ts';

/** The object as `scripts/build-bpf.ts` leaves it. */
export const DEFAULT_OBJECT = join(dirname(fileURLToPath(import.meta.url)), '../../build/bpf/waggle.bpf.o');

export interface DatapathOptions {
  /** Where programs and maps outlive the process; a BPF file system is mounted there if none is. Without it nothing is pinned. */
  readonly pinDirectory?: string;
  readonly timeouts?: Partial<DatapathTimeouts>;
  /** Size of the record ring in bytes, a power of two ≥ 4096; default 8 MiB. */
  readonly ringBytes?: number;
  /** Size of the connection table; default 131,072 entries of about 210 bytes. */
  readonly connections?: number;
  /** Size of the policy map; default 524,288 entries, which take memory as they are used. */
  readonly policyEntries?: number;
  /** Entries of the maps of Services: frontends, slots and backends, each. */
  readonly serviceEntries?: number;
  /** `tcx` unless the kernel lacks it; `clsact` forces the older hook. */
  readonly attachMode?: AttachMode;
  readonly objectPath?: string;
}

export type AttachMode = 'tcx' | 'clsact';

export interface Attachment {
  readonly interfaceIndex: number;
  readonly mode: AttachMode;
}

export interface DatapathMaps {
  readonly endpoints: EndpointMap;
  readonly identities: IdentityMap;
  readonly connections: ConnectionMap;
  readonly counters: CounterMap;
  readonly state: DatapathStateMap;
  readonly agent: AgentStateMap;
  readonly policies: PolicyMap;
  readonly policyRanges: PolicyRangeMap;
  readonly services: ServiceMaps;
  readonly external: ExternalMaps;
  readonly dnsSampleCounts: () => DnsSampleCounts;
}

/** Pod side → program: what the pod sends comes in at the host side of its veth. */
const PROGRAMS: Record<Hook, string> = { ingress: 'from_endpoint', egress: 'to_endpoint' };
const HOOKS: readonly Hook[] = ['ingress', 'egress'];
/** What every node needs. Those of its uplinks, a third of what the verifier has to do, are loaded when one is to carry them. */
const USUAL_PROGRAMS = [...Object.values(PROGRAMS), 'sweep', ...SOCKET_PROGRAMS];
const PINNED_MAPS = [
  'records',
  'connections',
  'endpoints',
  'identities',
  'prefixes',
  'state',
  'counters',
  'fragments',
  'agent',
  'policies',
  'policy_ranges',
  'drops',
  EXTERNAL_COUNTS_MAP,
  ...DNS_MAPS,
  ...SERVICE_MAPS,
  ...EXTERNAL_MAPS,
];
/** What decides about packets. Numbers of one of them stand in the others, so they are taken over together or not at all. */
const ENFORCING_MAPS = ['endpoints', 'identities', 'prefixes', 'state', 'policies', 'policy_ranges'];
/** Likewise of load-balancing. */
const BALANCING_MAPS = [...SERVICE_MAPS, ...EXTERNAL_MAPS];
const MIN_RING_BYTES = 4096;

/**
 * Loads the programs and takes over what an earlier process left pinned: maps with the same layout keep their contents,
 * links get the new programs without a moment in which none runs.
 * @throws LoaderError with the reason; nothing stays attached that was not before.
 */
export function openDatapath(options: DatapathOptions = {}): Datapath {
  const ringBytes = options.ringBytes ?? 8 << 20;
  if (ringBytes < MIN_RING_BYTES || ringBytes & (ringBytes - 1)) {
    throw new RangeError(`a ring of ${ringBytes} bytes: the size must be a power of two ≥ ${MIN_RING_BYTES}`);
  }
  const { serviceEntries } = options;
  const pins = options.pinDirectory;
  if (pins !== undefined) ensureBpffs(pins);
  const object = BpfObject.load({
    path: options.objectPath ?? DEFAULT_OBJECT,
    // At once where an earlier process has them at work, which is cheaper than afterwards.
    programs:
      pins !== undefined && hasPinnedUplinks(join(pins, 'links'))
        ? [...USUAL_PROGRAMS, ...UPLINK_PROGRAMS]
        : USUAL_PROGRAMS,
    readOnlyData: encodeSettings({ ...DEFAULT_TIMEOUTS, ...options.timeouts }, kernelTick()),
    entries: {
      records: ringBytes,
      connections: options.connections ?? 131_072,
      ...(options.policyEntries === undefined ? {} : { policies: options.policyEntries }),
      ...(serviceEntries === undefined
        ? {}
        : { services: serviceEntries, service_slots: serviceEntries, service_backends: serviceEntries }),
    },
    ...(pins === undefined
      ? {}
      : { pins: { directory: join(pins, 'maps'), maps: PINNED_MAPS, together: [ENFORCING_MAPS, BALANCING_MAPS] } }),
  });
  try {
    return new Datapath(object, pins, options.attachMode);
  } catch (error) {
    object.close();
    throw error;
  }
}

export class Datapath {
  readonly maps: DatapathMaps;
  readonly ring: RingConsumer;
  /** What DNS servers answered to pods. */
  readonly dnsRing: RingConsumer;
  /** Whether the connection table and the ring were taken over from an earlier process. */
  readonly resumed: boolean;
  readonly #object: BpfObject;
  readonly #linkDirectory: string | undefined;
  readonly #forcedMode: AttachMode | undefined;
  readonly #links = new Map<string, TcxLink>();
  readonly #modes = new Map<number, AttachMode>();
  /** Links that still carry an earlier process's programs. */
  readonly #inherited = new Set<string>();
  #tookOver = false;
  #cgroupHooks: CgroupHooks | undefined;
  #uplinkHooks: UplinkHooks | undefined;
  #uplinkObject: BpfObject | undefined;

  constructor(object: BpfObject, pinDirectory: string | undefined, mode: AttachMode | undefined) {
    this.#object = object;
    this.#forcedMode = mode;
    this.maps = {
      endpoints: endpointMap(object.mapFd('endpoints')),
      identities: new IdentityMap(object.mapFd('identities'), object.mapFd('prefixes')),
      connections: connectionMap(object.mapFd('connections')),
      counters: new CounterMap(object.mapFd('counters')),
      state: new DatapathStateMap(object.mapFd('state')),
      agent: new AgentStateMap(object.mapFd('agent')),
      policies: policyMap(object.mapFd('policies')),
      policyRanges: policyRangeMap(object.mapFd('policy_ranges')),
      services: serviceMaps((name) => object.mapFd(name)),
      external: externalMaps((name) => object.mapFd(name)),
      dnsSampleCounts: dnsSampleCounts((name) => object.mapFd(name)),
    };
    this.resumed = object.reused.includes('connections') && object.reused.includes('records');
    this.ring = new RingConsumer(object.mapFd('records'), object.mapEntries('records'));
    this.dnsRing = new RingConsumer(object.mapFd('dns_samples'), object.mapEntries('dns_samples'));
    if (pinDirectory !== undefined) {
      this.#linkDirectory = join(pinDirectory, 'links');
      mkdirSync(this.#linkDirectory, { recursive: true, mode: 0o700 });
      this.#adoptLinks(this.#linkDirectory);
      if (!this.maps.state.isNew) this.takeOver();
    }
  }

  /**
   * Gives the links of an earlier process this one's programs. Done by itself where they find what decides about packets as the
   * earlier ones left it; where those maps had to be made anew, the earlier programs go on with theirs until the caller has
   * filled the new ones and calls this.
   */
  takeOver(): void {
    if (this.#tookOver) return;
    this.#tookOver = true;
    for (const [name, link] of this.#links) {
      if (this.#inherited.has(name)) updateTcx(link, this.#object.programFd(PROGRAMS[name.split('-')[1] as Hook]));
    }
    this.#inherited.clear();
    if (this.maps.state.isNew) this.maps.state.begin();
    this.#object.removeStalePins();
  }

  /** Descriptors of the programs, for BPF_PROG_TEST_RUN. */
  programFd(name: 'from_endpoint' | 'to_endpoint' | 'from_outside' | 'to_outside' | 'sweep'): number {
    return UPLINK_PROGRAMS.includes(name) ? this.#uplinkProgramFd(name) : this.#object.programFd(name);
  }

  /**
   * Puts the programs on both hooks of an interface of this network namespace, or renews them there.
   * @throws LoaderError `interface-gone`, `attach-failed`, `pin-failed`; then neither hook carries a program by this call.
   */
  attach(interfaceIndex: number): Attachment {
    const known = this.#modes.get(interfaceIndex);
    if (known) return { interfaceIndex, mode: known };
    const mode = this.#attachBoth(interfaceIndex);
    this.#modes.set(interfaceIndex, mode);
    return { interfaceIndex, mode };
  }

  /** Takes the programs off. An interface that is gone, or never had them, is fine. */
  detach(interfaceIndex: number): void {
    for (const hook of HOOKS) this.#release(interfaceIndex, hook);
    if (this.#modes.get(interfaceIndex) === 'clsact') {
      for (const hook of HOOKS) detachClsact(interfaceIndex, hook);
    }
    this.#modes.delete(interfaceIndex);
  }

  /**
   * Puts load-balancing on a cgroup v2 directory: what connects or sends there, and below, reaches Services.
   * @throws LoaderError `attach-failed`, `pin-failed`.
   */
  attachServices(cgroup: string): void {
    const open = this.#cgroupHooks;
    this.#cgroupHooks = new CgroupHooks(cgroup, (name) => this.#object.programFd(name), this.#linkDirectory);
    open?.close();
  }

  /**
   * Puts Services for clients outside on these interfaces, and takes them off all others.
   * @throws LoaderError `attach-failed`, `pin-failed`, `interface-gone`, `object-refused`; then the others carry them as asked.
   */
  attachUplinks(interfaceIndexes: readonly number[]): void {
    this.#uplinkHooks ??= new UplinkHooks(
      (name) => this.#uplinkProgramFd(name),
      this.#linkDirectory,
      this.#forcedMode === 'clsact',
    );
    this.#uplinkHooks.apply(interfaceIndexes);
  }

  /** Interfaces that carry the programs, those an earlier process left included. */
  attached(): Attachment[] {
    return [...this.#modes].map(([interfaceIndex, mode]) => ({ interfaceIndex, mode }));
  }

  /** Ends idle connections and tells active ones. Call every ≤ 5 s. Blocks about 30 ns per connection. */
  sweep(): SweepResult {
    const context = new Uint8Array(SWEEP_RESULT_TWIN.size);
    runSyscall(this.#object.programFd('sweep'), context);
    return decodeSweepResult(context);
  }

  /** Closes everything. With pins, programs and maps stay at work; without, tcx programs are gone with their links. */
  close(): void {
    this.ring.close();
    this.dnsRing.close();
    this.#cgroupHooks?.close();
    this.#uplinkHooks?.close();
    for (const link of this.#links.values()) releaseTcx(link);
    this.#links.clear();
    this.#modes.clear();
    this.#uplinkObject?.close();
    this.#object.close();
  }

  #uplinkProgramFd(name: string): number {
    if (this.#object.loaded(name)) return this.#object.programFd(name);
    this.#uplinkObject ??= this.#object.loadMore(UPLINK_PROGRAMS);
    return this.#uplinkObject.programFd(name);
  }

  #attachBoth(interfaceIndex: number): AttachMode {
    if (this.#forcedMode !== 'clsact') {
      try {
        for (const hook of HOOKS) this.#attachTcx(interfaceIndex, hook);
        return 'tcx';
      } catch (error) {
        for (const hook of HOOKS) this.#release(interfaceIndex, hook);
        const lacking =
          error instanceof LoaderError && error.code === 'attach-failed' && tcxUnsupported(error.errno ?? 0);
        if (!lacking || this.#forcedMode === 'tcx') throw error;
      }
    }
    try {
      for (const hook of HOOKS) attachClsact(this.#object.programFd(PROGRAMS[hook]), interfaceIndex, hook);
    } catch (error) {
      for (const hook of HOOKS) if (hasClsact(interfaceIndex, hook)) detachClsact(interfaceIndex, hook);
      throw error;
    }
    return 'clsact';
  }

  #attachTcx(interfaceIndex: number, hook: Hook): void {
    const name = linkName(interfaceIndex, hook);
    const link = attachTcx(this.#object.programFd(PROGRAMS[hook]), interfaceIndex, hook, this.#pin(name));
    this.#links.set(name, link);
  }

  /** Opens the pinned links of an earlier process; drops those whose interface is gone. */
  #adoptLinks(directory: string): void {
    for (const name of readdirSync(directory)) {
      if (name.startsWith('service-')) continue; // attachServices takes it over
      const [index, hook] = name.split('-') as [string, Hook];
      const path = join(directory, name);
      const link = HOOKS.includes(hook) ? openPinnedTcx(path) : undefined;
      if (!link || link.interfaceIndex !== Number(index)) {
        rmSync(path, { force: true });
        if (link) releaseTcx(link);
        continue;
      }
      this.#links.set(name, link);
      this.#inherited.add(name);
    }
    for (const name of this.#links.keys()) {
      const interfaceIndex = Number.parseInt(name, 10);
      if (HOOKS.every((hook) => this.#links.has(linkName(interfaceIndex, hook))))
        this.#modes.set(interfaceIndex, 'tcx');
    }
    // Half an attachment (a process that died between two hooks) is let go, to be attached anew.
    for (const name of [...this.#links.keys()]) {
      const [index, hook] = name.split('-') as [string, Hook];
      if (!this.#modes.has(Number(index))) this.#release(Number(index), hook);
    }
  }

  #release(interfaceIndex: number, hook: Hook): void {
    const name = linkName(interfaceIndex, hook);
    const link = this.#links.get(name);
    if (link) releaseTcx(link, this.#pin(name));
    this.#links.delete(name);
  }

  #pin(name: string): string | undefined {
    return this.#linkDirectory === undefined ? undefined : join(this.#linkDirectory, name);
  }
}

function linkName(interfaceIndex: number, hook: Hook): string {
  return `${interfaceIndex}-${hook}`;
}
