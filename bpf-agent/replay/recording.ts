import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { BatchDecoder } from '#core/flow/batch.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { type Recording, RecordingSchema } from '#proto/gen/waggle/v1/recording_pb.ts';

/** A recording holds at most that much once unpacked. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Kind, namespace, name: nothing that leads out of the state folder. */
const STATE_PATH = /^[A-Z][A-Za-z]{0,62}\/[a-z0-9_][a-z0-9_.-]{0,252}\/[a-z0-9][a-z0-9_.:-]{0,252}\.yaml$/;

/** A recording cannot be replayed. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export function packRecording(recording: Recording): Uint8Array {
  return gzipSync(toBinary(RecordingSchema, recording), { level: 9 });
}

/** Reads the file and everything in it. Throws RecordingError, naming the file, for one that is not there or not whole. */
export function readRecording(path: string): Recording {
  try {
    return unpackRecording(readFileSync(path));
  } catch (error) {
    throw new RecordingError(`the recording ${path} cannot be replayed: ${(error as Error).message}`);
  }
}

export function unpackRecording(bytes: Uint8Array): Recording {
  const unpacked = new Uint8Array(gunzipSync(bytes, { maxOutputLength: MOST_BYTES }));
  const recording = fromBinary(RecordingSchema, unpacked);
  if (recording.started === undefined || recording.durationMs === 0)
    throw new RecordingError('it has no beginning or no length');
  const wrong = recording.state.find(({ path }) => !STATE_PATH.test(path));
  if (wrong !== undefined) throw new RecordingError(`"${wrong.path}" is not the path of an object`);
  for (const { name, batches, answers } of recording.nodes) {
    if (answers.some(({ ruleHits, services }) => ruleHits === undefined || services === undefined))
      throw new RecordingError(`${name || 'a node'} has half an answer`);
    // Told now, not in the middle of a replay.
    const decoder = new BatchDecoder({ endpoints: new EndpointStore(), nodeNumber: () => 0 });
    const rows = batches.reduce((sum, batch) => sum + decoder.decode(batch).rows, 0);
    if (rows === 0) throw new RecordingError(`${name || 'a node'} has no flows`);
  }
  if (recording.nodes.length === 0) throw new RecordingError('it has no nodes');
  return recording;
}

/** Milliseconds since 1970. */
export function startedMs(recording: Recording): number {
  return timestampMs(recording.started!);
}
