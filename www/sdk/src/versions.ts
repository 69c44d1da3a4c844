/** What this client reads. The edge answers what it can read, and nothing that it cannot. */

/** The newest form of a program that this client's engine reads: the last byte of `MAGIC` in crates/selvedge-core. */
export const PROGRAM_FORM = 1;

/** Where a site's config is asked for. A program in a newer form is not named there: the client then shows what the edge decides. */
export function configUrl(endpoint: string, site: string | undefined): string {
  return `${endpoint}s/${site}/config?reads=${PROGRAM_FORM}`;
}
