/** Why this machine's traffic cannot be observed, in one line for people; undefined when it can. */
export async function observingObstacle(): Promise<string | undefined> {
  const { probeKernel } = await import('#bpf-agent/loader/kernel-support.ts');
  const { usable, reason } = probeKernel();
  if (!usable) return `eBPF cannot be used here: ${sentence(reason)}`;
  if (process.getuid?.() !== 0) return 'eBPF and network namespaces need root. Run it as root (sudo).';
  const { missingPackages } = await import('../../scripts/system-packages.mjs');
  const missing = missingPackages('run');
  if (missing.length > 0) return `system packages are missing: ${missing.map(({ name }) => name).join(', ')}.`;
  return undefined;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
