// Line icons, 20 by 20, in the colour of the text.

const PATHS = {
  brand: "M14 3v14M3 6.500h11M3 10h14M3 13.500h11",
  pulse: "M2 10h4l2.500-6 4 12L15 10h3",
  shop: "M4 7h12l-1 10H5zM7.500 7a2.500 2.500 0 0 1 5 0",
  theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  leave: "M8 4H4v12h4M9 10h8M14 7l3 3-3 3",
  pause: "M7 5v10M13 5v10",
  play: "M6 4.500 15 10l-9 5.500z",
  close: "M5 5l10 10M15 5 5 15",
  search: "M9 3.500a5.500 5.500 0 1 1 0 11a5.500 5.500 0 0 1 0-11M13 13l4 4",
  copy: "M7 7h9v9H7zM4 13V4h9",
  back: "M12 4 6 10l6 6",
} as const;

/** An icon. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
