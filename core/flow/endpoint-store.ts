import { type Endpoint, endpointKey, NO_ENDPOINT } from './endpoint.ts';
import { EntryStore, NO_ENTRY_NUMBER } from './entry-store.ts';

/** Endpoint number 0 stands for "no endpoint" in every store. */
export const NO_ENDPOINT_NUMBER = NO_ENTRY_NUMBER;

/** Endpoints by number. Each held row counts as two references: source and destination. */
export class EndpointStore extends EntryStore<Endpoint> {
  constructor() {
    super('endpoint', NO_ENDPOINT, endpointKey);
  }
}
