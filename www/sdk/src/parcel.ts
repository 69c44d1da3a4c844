/** What the head takes next: an input, or an answer of the rule engine. It is told how many bytes they are, and takes them at once. */
let parcel: Uint8Array = new Uint8Array();

/** Holds bytes ready; gives back how many they are. */
export function ready(bytes: Uint8Array): number {
  parcel = bytes;
  return bytes.length;
}

/** Puts them into the module's memory. */
export function take(place: Uint8Array): void {
  place.set(parcel.subarray(0, place.length));
}
