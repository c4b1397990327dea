/** Who calls, as far as they have proved it. */
export interface Caller {
  /** As the cluster's API server names them: `jane@example.com`, `system:serviceaccount:shop:web`. */
  readonly user: string;
  readonly groups: readonly string[];
  /** Of a token's owner, as its review told it; empty where nobody told. */
  readonly uid: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Let in by something that stands for all of the cluster: a client's certificate. Nobody asks what it may see. */
  readonly trusted?: boolean;
  /**
   * Whom the same proof names by now: tokens are withdrawn, sessions end, groups change. Resolves with undefined when that is nobody,
   * or another one. Absent where it cannot change.
   */
  current?(): Promise<Caller | undefined>;
}
