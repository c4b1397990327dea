import type { Path } from '#core/manifest/document.ts';
import type { FieldCheck } from '#core/manifest/field-check.ts';
import { isDnsLabel, isEnvName, isLabelKey, isLabelValue, isPortName } from '#core/manifest/names.ts';
import { programNames } from '../programs/program-names.ts';

const BUILT_IN_IMAGE = /^waggle\.dev\/lab\/([a-z0-9-]+)(?::[\w.-]*)?$/;

/** The built-in program an image names, or undefined for any other image. */
export function builtInProgram(image: string): string | undefined {
  return BUILT_IN_IMAGE.exec(image)?.[1];
}

/** Fields of a pod that a container's environment may take. */
export const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.podIP',
  'status.podIPs',
  'status.hostIP',
] as const;

export function checkLabels(check: FieldCheck, path: Path): void {
  const labels = check.map(path);
  for (const key of Object.keys(labels ?? {})) {
    const value = check.text([...path, key]);
    if (!isLabelKey(key)) check.fail([...path, key], 'is not a label key');
    if (value !== undefined && !isLabelValue(value)) {
      check.fail([...path, key], `"${value}" is not a label value: at most 63 letters, digits, "-", "_" and "."`);
    }
  }
}

export function checkAnnotations(check: FieldCheck, path: Path): void {
  for (const key of Object.keys(check.map(path) ?? {})) check.text([...path, key]);
}

export function checkPodSpec(check: FieldCheck, path: Path, restartPolicies: readonly string[]): void {
  if (!check.map(path, true)) return;
  check.oneOf([...path, 'restartPolicy'], restartPolicies);
  check.text([...path, 'nodeName']);
  check.flag([...path, 'hostNetwork']);
  check.text([...path, 'serviceAccountName']);
  check.integer([...path, 'terminationGracePeriodSeconds'], 0, 86_400);
  checkLabels(check, [...path, 'nodeSelector']);
  for (const field of ['hostname', 'subdomain']) {
    const value = check.text([...path, field]);
    if (value !== undefined && !isDnsLabel(value)) check.fail([...path, field], `"${value}" is not a DNS label`);
  }
  if (check.list([...path, 'containers'], true)?.length === 0)
    check.fail([...path, 'containers'], 'must hold at least one container');
  const names = new Set<string>();
  check.each([...path, 'containers'], (container) => checkContainer(check, container, names));
}

function checkContainer(check: FieldCheck, path: Path, names: Set<string>): void {
  if (!check.map(path, true)) return;
  const name = check.text([...path, 'name'], true);
  if (name !== undefined) {
    if (!isDnsLabel(name)) check.fail([...path, 'name'], `"${name}" is not a DNS label`);
    if (names.has(name)) check.fail([...path, 'name'], `"${name}" is taken by another container of the pod`);
    names.add(name);
  }
  check.texts([...path, 'command']);
  check.texts([...path, 'args']);
  check.text([...path, 'workingDir']);
  checkImage(check, path);
  check.each([...path, 'env'], (variable) => checkEnv(check, variable));
  check.each([...path, 'ports'], (port) => checkPort(check, port));
}

function checkImage(check: FieldCheck, path: Path): void {
  const image = check.text([...path, 'image'], true);
  if (image === undefined) return;
  const program = builtInProgram(image);
  const hasCommand = (check.at([...path, 'command']) as unknown[] | undefined)?.length;
  if (program !== undefined) {
    if (!programNames.includes(program)) {
      check.fail([...path, 'image'], `"${image}" names no built-in program; there are ${programNames.join(', ')}`);
    } else if (hasCommand) {
      check.fail([...path, 'command'], `cannot stand beside the built-in program "${image}"; remove one of them`);
    }
    return;
  }
  if (hasCommand) return;
  const hint = `the lab pulls no images: give a command (it runs this machine's programs) or use waggle.dev/lab/<program>`;
  check.fail([...path, 'image'], `"${image}" comes without a command; ${hint}`);
}

function checkEnv(check: FieldCheck, path: Path): void {
  if (!check.map(path, true)) return;
  const name = check.text([...path, 'name'], true);
  if (name !== undefined && !isEnvName(name)) check.fail([...path, 'name'], `"${name}" is not a variable name`);
  check.text([...path, 'value']);
  const from = check.map([...path, 'valueFrom']);
  if (!from) return;
  if (from.fieldRef === undefined) {
    check.fail([...path, 'valueFrom'], 'is resolved by the lab only as fieldRef');
    return;
  }
  const field = check.text([...path, 'valueFrom', 'fieldRef', 'fieldPath'], true);
  const known: readonly string[] = FIELD_PATHS;
  if (field !== undefined && !known.includes(field) && !/^metadata\.(labels|annotations)\['[^']*'\]$/.test(field)) {
    check.fail([...path, 'valueFrom', 'fieldRef', 'fieldPath'], `"${field}" is none of ${FIELD_PATHS.join(', ')}`);
  }
}

function checkPort(check: FieldCheck, path: Path): void {
  if (!check.map(path, true)) return;
  check.integer([...path, 'containerPort'], 1, 65_535, true);
  check.oneOf([...path, 'protocol'], ['TCP', 'UDP', 'SCTP']);
  const name = check.text([...path, 'name']);
  if (name !== undefined && !isPortName(name)) {
    check.fail([...path, 'name'], `"${name}" is not a port name: at most 15 lower case letters, digits and "-"`);
  }
}
