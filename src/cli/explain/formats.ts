/** What `refcap explain` writes. */
export const formats = ['html', 'json', 'png'] as const;
export type Format = (typeof formats)[number];
