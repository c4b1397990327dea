/** What a JSON object of Hubble's is made of. */
export type HubbleJson = { [name: string]: HubbleJson | readonly HubbleJson[] | string | number | boolean };
