import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { type FlowFilter, FlowFilterSchema } from '#proto/gen/flow/flow_pb.ts';
import type { ExportSelection, ExportSink } from '#runtime/hubble/flow-exporter.ts';
import { bytes, count, InvalidValueError, listOf, path, text } from '#runtime/settings/parsers.ts';
import { type Setting, setting } from '#runtime/settings/setting.ts';

/** Where an agent exports its flows to, and which. */
export interface ExportFlags {
  exportFile?: string;
  exportFileMaxSize: number;
  exportFileBackups: number;
  exportOtlp?: URL;
  exportAllowlist: FlowFilter[];
  exportDenylist: FlowFilter[];
  exportFieldMask: string[];
}

export function exportSettings(): Setting<never>[] {
  return [
    setting<string>({
      flags: '--export-file <file>',
      description: "file to which flows are written, a JSON object of Hubble's per line",
      parser: path,
    }),
    setting<number>({
      flags: '--export-file-max-size <size>',
      description: 'size at which the file is put aside',
      parser: bytes(4_096, 2 ** 40),
      default: 10 * 2 ** 20,
      defaultText: '10Mi',
    }),
    setting<number>({
      flags: '--export-file-backups <count>',
      description: 'files put aside that are kept',
      parser: count(0, 1_000),
      default: 5,
    }),
    setting<URL>({
      flags: '--export-otlp <url>',
      description:
        'OpenTelemetry collector to which flows are sent as logs (OTLP over HTTP, JSON): http://127.0.0.1:4318',
      parser: webAddress,
    }),
    setting<FlowFilter[]>({
      flags: '--export-allowlist <json>',
      description: 'only flows that match one of these filters: {"verdict":["DROPPED"]}, several one after the other',
      parser: flowFilters,
      default: [],
      defaultText: 'all',
    }),
    setting<FlowFilter[]>({
      flags: '--export-denylist <json>',
      description: 'flows that match one of these filters are left out',
      parser: flowFilters,
      default: [],
      defaultText: 'none',
    }),
    setting<string[]>({
      flags: '--export-field-mask <paths>',
      description: 'what of a flow is exported: time,verdict,source.namespace',
      parser: listOf(text),
      default: [],
      defaultText: 'all',
    }),
  ];
}

/** The exports that are asked for. */
export async function exportsOf(
  flags: ExportFlags,
  version: string,
): Promise<{ sink: ExportSink; selection: ExportSelection }[]> {
  const { exportFile, exportFileMaxSize, exportFileBackups, exportOtlp } = flags;
  const { exportAllowlist: allow, exportDenylist: deny, exportFieldMask: fieldMask } = flags;
  const { loadFilterParts } = await import('#core/hubble/filter/compile.ts');
  await loadFilterParts({ whitelist: allow, blacklist: deny });
  const selection = { allow, deny, fieldMask };
  const { fileSink, otlpLogSink } = await import('#runtime/hubble/export-sinks.ts');
  const sinks: ExportSink[] = [];
  if (exportFile !== undefined) {
    sinks.push(fileSink({ path: exportFile, maxBytes: exportFileMaxSize, backups: exportFileBackups }));
  }
  if (exportOtlp !== undefined) sinks.push(otlpLogSink(exportOtlp, version));
  return sinks.map((sink) => ({ sink, selection }));
}

/** One JSON object after the other, or a list of them. Throws InvalidValueError. */
export function flowFilters(value: string): FlowFilter[] {
  try {
    const json = JSON.parse(`[${withCommas(value)}]`) as JsonValue[];
    return json.flat().map((one) => fromJson(FlowFilterSchema, one as JsonValue));
  } catch (error) {
    throw new InvalidValueError(`flow filters as JSON (${(error as Error).message})`);
  }
}

/** Objects one after the other, with commas between them. What stands in a string is left alone. */
function withCommas(objects: string): string {
  const strings = /"(?:[^"\\]|\\.)*"/g;
  const gap = (text: string) => text.replace(/\}\s*(?=\{)/g, '},');
  let [joined, at] = ['', 0];
  for (const { 0: string, index } of objects.matchAll(strings)) {
    joined += gap(objects.slice(at, index)) + string;
    at = index + string.length;
  }
  return joined + gap(objects.slice(at));
}

/** Throws InvalidValueError. */
export function webAddress(value: string): URL {
  const url = URL.parse(value);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidValueError('a web address such as http://127.0.0.1:4318');
  }
  return url;
}
