import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import { labLayout, RUN_ROOT } from '../lab-layout.ts';
import { runTool } from './run-tool.ts';
import { type LabSubnets, labCidrs, subnetCandidates } from './subnets.ts';

const RESERVATIONS = join(RUN_ROOT, '.subnets');

/** True when the two prefixes share an address. Both in CIDR form; families may differ. */
export function prefixesOverlap(left: string, right: string): boolean {
  const [a, aBits] = ipaddr.parseCIDR(left);
  const [b, bBits] = ipaddr.parseCIDR(right);
  if (a.kind() !== b.kind()) return false;
  return a.match(b, Math.min(aBits, bBits));
}

/** Prefixes the host already routes somewhere, the default routes left out. */
async function routedPrefixes(): Promise<string[]> {
  const prefixes: string[] = [];
  for (const family of ['-4', '-6']) {
    const { stdout, status } = await runTool('ip', ['-j', family, 'route', 'show', 'table', 'all']);
    if (status !== 0) continue; // a kernel without IPv6 has nothing to collide with
    for (const route of JSON.parse(stdout || '[]') as { dst?: string; type?: string }[]) {
      if (route.dst === undefined || route.dst === 'default') continue;
      const prefix = route.dst.includes('/') ? route.dst : `${route.dst}/${family === '-4' ? 32 : 128}`;
      if (ipaddr.isValidCIDR(prefix)) prefixes.push(prefix);
    }
  }
  return prefixes;
}

/**
 * Reserves an address plan that neither the host's routes nor another lab uses. Two labs starting at once are kept
 * apart by a file created exclusively; a reservation whose lab is gone is taken over.
 */
export async function reserveSubnets(labName: string): Promise<LabSubnets> {
  const routed = await routedPrefixes();
  mkdirSync(RESERVATIONS, { recursive: true });
  for (const candidate of subnetCandidates(labName)) {
    const cidrs = labCidrs(candidate);
    if (routed.some((prefix) => prefixesOverlap(prefix, cidrs.v4) || prefixesOverlap(prefix, cidrs.v6))) continue;
    if (reserve(candidate.v4, labName)) return candidate;
  }
  throw new Error('no free IPv4 range for a lab: every candidate in 10/8, 100.64/10 and 172.16/12 is routed or taken');
}

function reserve(block: string, labName: string): boolean {
  const path = join(RESERVATIONS, block);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, labName, { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readOwner(path);
    if (owner === labName) return true;
    if (owner !== undefined && existsSync(labLayout(owner).dir)) return false;
    rmSync(path, { force: true });
  }
  return false;
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Gives back whatever a lab reserved. Works from the reservation files alone, so also after a crash. */
export function releaseSubnets(labName: string): void {
  for (const { v4 } of subnetCandidates(labName)) {
    const path = join(RESERVATIONS, v4);
    if (readOwner(path) === labName) rmSync(path, { force: true });
  }
}
