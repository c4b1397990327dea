/** Asks a node's program host to run a built-in program in a pod. */
export interface ProgramStart {
  /** The container's id; every later message about the program carries it. */
  id: string;
  program: string;
  args: string[];
  env: Record<string, string>;
  /** Named network namespace its sockets are made in. */
  netns: string;
  resolvConf: string;
  stateDir: string;
  /** What the program prints is appended here. */
  logPath: string;
}

export type ToProgramHost = { type: 'start'; start: ProgramStart } | { type: 'stop'; id: string };

export type FromProgramHost =
  | { type: 'ready' }
  /** The program serves, or whatever it does has begun. */
  | { type: 'started'; id: string }
  | { type: 'ended'; id: string; code: number };
