// A page of web components with open shadow trees, one within another.
customElements.define('lab-field', class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML = `
      <form id="inner"><input id="email" name="email"><button id="send">Send</button></form>
      <button id="mark" data-selvedge-event="marked" data-selvedge-property-count="3"><b>Mark</b></button>
      <a id="link" href="/target?secret=1#part"><slot></slot></a>
      <div data-selvedge-private><button id="hidden">Account of Jane</button></div>`;
    this.shadowRoot.addEventListener('submit', (event) => event.preventDefault());
    this.shadowRoot.querySelector('#link').addEventListener('click', (event) => event.preventDefault());
  }
});
customElements.define('lab-shop', class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML = '<section><lab-field>A link</lab-field></section>';
  }
});
