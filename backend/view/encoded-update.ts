import { toBinary } from '@bufbuild/protobuf';
import { type ViewUpdate, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';

const encoded = new WeakMap<ViewUpdate, Uint8Array>();

/** The update's bytes. Made once, however many viewers the same update goes to; it must not be changed afterwards. */
export function encodedUpdate(update: ViewUpdate): Uint8Array {
  let bytes = encoded.get(update);
  if (bytes === undefined) {
    bytes = toBinary(ViewUpdateSchema, update);
    encoded.set(update, bytes);
  }
  return bytes;
}
