import { type Datapath, openDatapath } from '#bpf-agent/loader/datapath.ts';
import { LoaderError } from '#bpf-agent/loader/loader-error.ts';
import { BpfObject } from '#bpf-agent/loader/object.ts';
import { type PacketRun, runPacket } from '#bpf-agent/loader/prog-test-run.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { establishConnection, laterAcknowledgement, openingSegment } from '../established-connection.ts';
import { buildBpfVariant } from '../native-build.ts';
import { pinToCore } from '../pin.ts';
import { median } from '../statistics.ts';

export const programCost: Benchmark = {
  name: 'program-cost',
  about: 'what one packet costs in the program, by BPF_PROG_TEST_RUN',
  needs: ['bpf', 'clang'],
  seconds: { full: 40, quick: 15 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 9 : 31;
    const repeat = context.quick ? 50_000 : 200_000;
    pinToCore(context.core);

    const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
    context.cleanUp(() => datapath.close());
    // An interval of 0: every packet of an established connection tells.
    const telling = openDatapath({ timeouts: { recordInterval: 0 } });
    context.cleanUp(() => telling.close());

    const loop = BpfObject.load({ path: buildBpfVariant('empty-loop') });
    context.cleanUp(() => loop.close());
    const segment = establishConnection(datapath.programFd('from_endpoint'), datapath.programFd('to_endpoint'));
    establishConnection(telling.programFd('from_endpoint'), telling.programFd('to_endpoint'));
    drain(datapath);
    drain(telling);

    const acknowledgement = laterAcknowledgement();
    const empty: number[] = [];
    const silent: number[] = [];
    const acknowledging: number[] = [];
    const event: number[] = [];
    const opening: number[] = [];
    // The ring has to take every record, or what is measured is its being full.
    const share = 20_000;
    for (let round = 0; round < rounds; round++) {
      empty.push(cost(loop.programFd('empty'), { packet: segment, repeat }));
      silent.push(cost(datapath.programFd('from_endpoint'), { packet: segment, repeat }));
      acknowledging.push(cost(datapath.programFd('from_endpoint'), { packet: acknowledgement, repeat }));
      event.push(tellingCost(telling, segment, share, repeat));
      opening.push(tellingCost(datapath, openingSegment(), share, repeat / 4));
    }
    return [
      {
        name: 'no event',
        value: median(silent),
        unit: 'ns',
        goal: { atMost: 100 },
        samples: silent,
        note:
          'a segment of an established connection: parsed, found, counted. The same one each time, so it is taken for one ' +
          'sent again, and its socket is asked',
      },
      {
        name: 'acknowledgement',
        value: median(acknowledging),
        unit: 'ns',
        samples: acknowledging,
        note: 'the same for a segment without payload, whose socket is not asked',
      },
      {
        name: 'with event',
        value: median(event),
        unit: 'ns',
        goal: { atMost: 150 },
        samples: event,
        note: 'the same and its record written',
      },
      {
        name: 'new connection',
        value: median(opening),
        unit: 'ns',
        samples: opening,
        note: 'SYN on the ports of a closed one: entry deleted, both identities looked up, entry made, record written',
      },
      {
        name: 'empty loop',
        value: median(empty),
        unit: 'ns',
        samples: empty,
        note: 'a program that does nothing: contained in each figure above',
      },
    ];
  },
};

const EINTR = 4;

/**
 * Mean nanoseconds per run. The kernel gives up between two runs when the thread has a signal pending, which Node's own
 * threads send it at times: `undone` undoes what was done, and it begins anew.
 */
function cost(program: number, run: PacketRun, undone: () => void = () => {}): number {
  for (let attempt = 0; ; attempt++) {
    try {
      return runPacket(program, run).nanoseconds;
    } catch (error) {
      if (!(error instanceof LoaderError) || error.errno !== EINTR || attempt === 9) throw error;
      undone();
    }
  }
}

/** Mean cost of packets that each write one record, in shares that fit the ring. Throws when one found no room. */
function tellingCost(datapath: Datapath, packet: Uint8Array, share: number, repeat: number): number {
  const program = datapath.programFd('from_endpoint');
  // A connection that was silent until now may have told an interval meanwhile.
  drain(datapath);
  let nanoseconds = 0;
  let records = 0;
  const shares = Math.ceil(repeat / share);
  for (let index = 0; index < shares; index++) {
    nanoseconds += cost(program, { packet, repeat: share }, () => drain(datapath));
    records += drain(datapath);
  }
  if (records !== shares * share) throw new Error(`${shares * share} packets wrote ${records} records, not one each`);
  return nanoseconds / shares;
}

function drain(datapath: Datapath): number {
  return datapath.ring.drain(() => {});
}
