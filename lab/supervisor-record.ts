import { readFileSync, writeFileSync } from 'node:fs';
import type { LabLayout } from './lab-layout.ts';

/** Which process supervises a lab: its id, and when it began in the kernel's clock ticks, as ids are used again. */
export interface SupervisorRecord {
  pid: number;
  startTime: string;
}

/** By who starts it, at once: a lab that is only beginning must not be taken for one that crashed. */
export function writeSupervisorRecord(layout: LabLayout, pid: number): void {
  const record: SupervisorRecord = { pid, startTime: processStartTime(pid) ?? '' };
  writeFileSync(layout.supervisorRecord, JSON.stringify(record));
}

/** A lab's supervisor, or undefined when none runs (any more). */
export function livingSupervisor(layout: LabLayout): SupervisorRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(layout.supervisorRecord, 'utf8')) as SupervisorRecord;
    return isRunning(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

export function isRunning({ pid, startTime }: SupervisorRecord): boolean {
  return processStartTime(pid) === startTime;
}

/** Field 22 of /proc/<pid>/stat; undefined for a process that is gone or a zombie. */
function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
