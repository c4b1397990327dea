/** Something that happened to the cluster or to watching it, worth a word to whoever looks away. */
export interface PageEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly tone: 'bad' | 'good';
  /** What happened, in one line. */
  readonly title: string;
  /** Why, or where; may be empty. */
  readonly text: string;
}
