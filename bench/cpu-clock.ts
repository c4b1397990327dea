/** Milliseconds of processor time this process has taken, all its threads together: what others do on the core does not count. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
