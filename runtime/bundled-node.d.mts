export function bundledNode(root: string): string | undefined;
