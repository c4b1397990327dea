/** A worker's first message: its script has come, and what is sent to it is heard. */
export const READY = 'ready';
