import ipaddr from 'ipaddr.js';
import type { FieldCheck } from '#core/manifest/field-check.ts';
import { isDnsLabel, isPortName } from '#core/manifest/names.ts';
import { checkLabels } from './pod-spec.ts';

export function checkService(check: FieldCheck): void {
  if (!check.map(['spec'], true)) return;
  check.oneOf(['spec', 'type'], ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']);
  check.oneOf(['spec', 'ipFamilyPolicy'], ['SingleStack', 'PreferDualStack', 'RequireDualStack']);
  checkLabels(check, ['spec', 'selector']);
  check.flag(['spec', 'publishNotReadyAddresses']);
  check.each(['spec', 'ipFamilies'], (family) => check.oneOf(family, ['IPv4', 'IPv6']));
  const address = check.text(['spec', 'clusterIP']);
  if (address !== undefined && address !== 'None' && address !== '' && !ipaddr.isValid(address)) {
    check.fail(['spec', 'clusterIP'], `"${address}" is neither an IP address nor "None"`);
  }
  if (check.at(['spec', 'type']) === 'ExternalName') {
    check.text(['spec', 'externalName'], true);
    return;
  }
  checkPorts(check, address === 'None');
}

function checkPorts(check: FieldCheck, headless: boolean): void {
  const ports = check.list(['spec', 'ports'], !headless) ?? [];
  const names = new Set<string>();
  const taken = new Set<string>();
  check.each(['spec', 'ports'], (path) => {
    if (!check.map(path, true)) return;
    const port = check.integer([...path, 'port'], 1, 65_535, true);
    check.oneOf([...path, 'protocol'], ['TCP', 'UDP', 'SCTP']);
    const name = check.text([...path, 'name'], ports.length > 1);
    if (name !== undefined) {
      if (!isDnsLabel(name)) check.fail([...path, 'name'], `"${name}" is not a DNS label`);
      if (names.has(name)) check.fail([...path, 'name'], `"${name}" is taken by another port of the Service`);
      names.add(name);
    }
    const key = `${port}/${check.at([...path, 'protocol']) ?? 'TCP'}`;
    if (taken.has(key)) check.fail([...path, 'port'], `${key} stands twice`);
    taken.add(key);
    const target = check.at([...path, 'targetPort']);
    if (typeof target === 'number') check.integer([...path, 'targetPort'], 1, 65_535);
    else if (check.text([...path, 'targetPort']) !== undefined && !isPortName(target as string)) {
      check.fail([...path, 'targetPort'], `"${target}" is neither a port number nor a port name`);
    }
  });
}
