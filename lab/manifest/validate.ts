import type { ManifestDocument, Path, Place, Problem } from '#core/manifest/document.ts';
import { FieldCheck } from '#core/manifest/field-check.ts';
import { isDnsLabel, isDnsSubdomain } from '#core/manifest/names.ts';
import { readPolicy } from '#core/policy/read-policies.ts';
import { matchesSelector } from '../store/label-selector.ts';
import type { LabelSelector } from '../store/objects.ts';
import { type Kind, kindOfManifest } from './kinds.ts';
import { checkAnnotations, checkLabels, checkPodSpec } from './pod-spec.ts';
import { checkService } from './service-spec.ts';

/** What a manifest asks for: an object as written, without anything the API server adds. */
export interface Manifest {
  kind: Kind;
  apiVersion: string;
  name: string;
  /** undefined for cluster-wide kinds, and when the manifest leaves it to the caller. */
  namespace: string | undefined;
  body: Record<string, unknown>;
  /** Where a field of it stands in its file. */
  locate(path: Path): Place;
}

export type Checked =
  | { outcome: 'valid'; manifest: Manifest }
  | { outcome: 'unknown-kind'; kind: string; place: Place }
  | { outcome: 'invalid'; problems: Problem[] };

/** Checks one object of a manifest by the rules of its kind. */
export function validate(document: ManifestDocument): Checked {
  const check = new FieldCheck(document);
  if (!check.map([], true)) return { outcome: 'invalid', problems: check.problems };
  const apiVersion = check.text(['apiVersion'], true);
  const kindName = check.text(['kind'], true);
  if (apiVersion === undefined || kindName === undefined) return { outcome: 'invalid', problems: check.problems };
  const kind = kindOfManifest(apiVersion, kindName);
  const place = document.place(['kind']);
  if (!kind) return { outcome: 'unknown-kind', kind: `${kindName}.${apiVersion}`, place };

  check.map(['metadata'], true);
  const name = check.text(['metadata', 'name'], true);
  check.subject = `${kindName} ${name ?? ''}`.trim();
  if (name !== undefined) checkName(check, kind, name);
  const namespace = kind.namespaced ? check.text(['metadata', 'namespace']) : undefined;
  if (namespace !== undefined && !isDnsLabel(namespace)) {
    check.fail(['metadata', 'namespace'], `"${namespace}" is not a DNS label`);
  }
  checkLabels(check, ['metadata', 'labels']);
  checkAnnotations(check, ['metadata', 'annotations']);
  if (!kind.appliable) check.fail(['kind'], 'is made by the lab itself and cannot be applied');
  else CHECKS[kind.kind]?.(check);
  // What was said already is not said twice.
  if (check.problems.length === 0) check.problems.push(...policyProblems(document));
  if (check.problems.length > 0 || name === undefined) return { outcome: 'invalid', problems: check.problems };
  const body = document.value as Record<string, unknown>;
  return {
    outcome: 'valid',
    manifest: { kind, apiVersion, name, namespace, body, locate: (path) => document.place(path) },
  };
}

/** What keeps a policy from being used. What it only warns of is told where policies are shown. */
function policyProblems(document: ManifestDocument): Problem[] {
  const errors = readPolicy(document, 'default')?.findings.filter(({ severity }) => severity === 'error') ?? [];
  return errors.map(({ file, line, column, code, message }) => ({
    file,
    line,
    column,
    message: `${message} (${code})`,
  }));
}

function checkName(check: FieldCheck, kind: Kind, name: string): void {
  const strict = kind.kind === 'Namespace' || kind.kind === 'Service';
  if (strict ? isDnsLabel(name) : isDnsSubdomain(name)) return;
  check.fail(
    ['metadata', 'name'],
    `"${name}" is not a DNS ${strict ? 'label' : 'name'}: lower case letters, digits, "-"`,
  );
}

const CHECKS: Record<string, (check: FieldCheck) => void> = {
  Pod: (check) => checkPodSpec(check, ['spec'], ['Always', 'OnFailure', 'Never']),
  Deployment: (check) => {
    check.integer(['spec', 'replicas'], 0, 10_000);
    check.oneOf(['spec', 'strategy', 'type'], ['RollingUpdate', 'Recreate']);
    checkWorkload(check, ['Always']);
  },
  DaemonSet: (check) => checkWorkload(check, ['Always']),
  Job: (check) => {
    for (const field of ['completions', 'parallelism', 'backoffLimit']) check.integer(['spec', field], 0, 10_000);
    checkTemplate(check, ['OnFailure', 'Never']);
    if (
      check.at(['spec', 'template', 'spec']) &&
      check.at(['spec', 'template', 'spec', 'restartPolicy']) === undefined
    ) {
      check.fail(['spec', 'template', 'spec', 'restartPolicy'], 'is missing: a Job needs OnFailure or Never');
    }
  },
  Service: checkService,
  EndpointSlice: (check) => {
    check.oneOf(['addressType'], ['IPv4', 'IPv6']);
    check.list(['endpoints'], true);
  },
};

function checkTemplate(check: FieldCheck, restartPolicies: readonly string[]): void {
  check.map(['spec'], true);
  checkLabels(check, ['spec', 'template', 'metadata', 'labels']);
  checkAnnotations(check, ['spec', 'template', 'metadata', 'annotations']);
  checkPodSpec(check, ['spec', 'template', 'spec'], restartPolicies);
}

function checkWorkload(check: FieldCheck, restartPolicies: readonly string[]): void {
  checkTemplate(check, restartPolicies);
  const path: Path = ['spec', 'selector'];
  const selector = check.map(path, true);
  if (!selector) return;
  const before = check.problems.length;
  checkLabels(check, [...path, 'matchLabels']);
  const expressions = check.list([...path, 'matchExpressions']);
  expressions?.forEach((_, index) => {
    check.text([...path, 'matchExpressions', index, 'key'], true);
    check.oneOf([...path, 'matchExpressions', index, 'operator'], ['In', 'NotIn', 'Exists', 'DoesNotExist']);
    check.texts([...path, 'matchExpressions', index, 'values']);
  });
  if (check.problems.length > before) return;
  const labels = (check.at(['spec', 'template', 'metadata', 'labels']) ?? {}) as Record<string, string>;
  if (Object.keys(selector).length === 0) check.fail(path, 'selects nothing: give matchLabels');
  else if (!matchesSelector(selector as LabelSelector, labels)) {
    check.fail(path, 'does not match the labels of spec.template');
  }
}
