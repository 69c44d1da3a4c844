/** The types of the public interface: what a site calls, and what it hears. */

/** What a property may be. `undefined` and functions are left out, dates become RFC 3339 text. */
export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Date
  | readonly Value[]
  | { readonly [name: string]: Value };

export type Properties = { readonly [name: string]: Value };

export type Purpose = "necessary" | "analytics" | "personalization" | "advertising";

/** What the visitor said: true grants, false denies, what is left out stays as it was. */
export type Choice = { readonly [purpose in Purpose]?: boolean };

/** What may be shown in a slot. */
export type Content = {
  readonly id: string;
  readonly type: "text" | "link" | "image" | "attributes" | "html" | "json";
  readonly fields: { readonly [name: string]: string };
};

/** What stands in a slot: `content` is null where the page's own stays, `rule` is null for the fallback. */
export type Decision = {
  readonly slot: string;
  readonly rule: string | null;
  readonly reason: string;
  readonly content: Content | null;
};

/** What listeners hear, by kind. */
export type Notices = {
  /** The purposes in force. */
  consent: { readonly [purpose in Purpose]: boolean };
  /** An event was captured; `code` says why the tracking plan refuses it, or is empty. */
  event: { readonly name: string; readonly code: string };
  /** The edge refused the event of this sequence. */
  refused: { readonly sequence: number; readonly code: string };
  /** So many events were lost since the page began. */
  lost: { readonly count: number };
  /** The edge took so many events. */
  accepted: { readonly count: number };
  /** The rule engine could not be had, or gave up: from now on the edge decides. */
  engine: { readonly running: false };
  /** Another decision stands in a slot. */
  decision: Decision;
};

/** Steps of a purchase, in the terms that shops and their tools share. */
export type Trade =
  | "view_item"
  | "view_item_list"
  | "select_item"
  | "add_to_wishlist"
  | "add_to_cart"
  | "remove_from_cart"
  | "view_cart"
  | "begin_checkout"
  | "add_shipping_info"
  | "add_payment_info"
  | "purchase"
  | "refund"
  | "view_promotion"
  | "select_promotion";

/** One line of a sale: `price` is that of one piece. */
export type Item = {
  readonly item_id?: string;
  readonly item_name?: string;
  readonly item_brand?: string;
  readonly item_category?: string;
  readonly item_variant?: string;
  readonly price?: number;
  readonly quantity?: number;
  readonly [name: string]: Value;
};

/** What is said of a step. Without `value` it is that of the items, where `currency` is said. */
export type Sale = {
  readonly currency?: string;
  readonly value?: number;
  readonly items?: readonly Item[];
  readonly transaction_id?: string;
  readonly [name: string]: Value;
};

/** What a site calls: the global `selvedge` of the script tag, and what the npm package exports. */
export type Selvedge = {
  track(name: string, properties?: Properties): void;
  /** A step of a purchase: an event of the same name. */
  ecommerce(action: Trade, sale: Sale): void;
  page(name?: string, properties?: Properties): void;
  identify(userId: string, traits?: Properties): void;
  group(accountId: string, traits?: Properties): void;
  alias(userId: string): void;
  /** With a choice: the visitor answered. Without: the purposes in force. */
  consent(choice?: Choice): Notices["consent"];
  /** Calls back with the slot's decision, now and whenever it changes. Gives back how to stop. */
  slot(name: string, callback: (decision: Decision) => void): () => void;
  decisions(): readonly Decision[];
  flush(): void;
  /** Forgets who this is (a logout); consent stays. */
  reset(): void;
  on<Kind extends keyof Notices>(kind: Kind, callback: (notice: Notices[Kind]) => void): () => void;
};
