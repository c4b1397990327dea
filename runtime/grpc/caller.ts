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
  /** Whether what proved it still does: tokens are withdrawn, sessions end. Absent where it cannot change. */
  isStill?(): Promise<boolean>;
}
