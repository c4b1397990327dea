export type Purpose = 'run' | 'test' | 'bench';

export interface SystemPackage {
  readonly name: string;
  readonly provides: readonly string[];
  readonly neededFor: Purpose;
  readonly why: string;
}

export const SYSTEM_PACKAGES: readonly SystemPackage[];
export function missingPackages(purpose: Purpose): SystemPackage[];
export function isThere(what: string): boolean;
export function findProgram(name: string): string | undefined;
