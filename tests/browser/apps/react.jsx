// A page that React draws: routes, a controlled form, a button.
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function Shop() {
  const [route, setRoute] = useState(location.pathname);
  const [email, setEmail] = useState('');
  const [isSent, setSent] = useState(false);
  const go = (event) => {
    event.preventDefault();
    history.pushState({}, '', '/react/next');
    setRoute('/react/next');
    document.title = 'Next';
  };
  const send = (event) => {
    event.preventDefault();
    setSent(true);
  };
  return (
    <main>
      <h1>{route}</h1>
      <a id="next" href="/react/next" onClick={go}>Next page</a>
      <button id="marked" data-selvedge-event="marked" data-selvedge-property-count="2" data-selvedge-property-sku="0042">Mark</button>
      {isSent ? <p id="thanks">Thanks</p> : (
        <form id="newsletter" onSubmit={send}>
          <input name="email" value={email} onChange={(event) => setEmail(event.target.value)} />
          <button id="send">Send</button>
        </form>
      )}
    </main>
  );
}

createRoot(document.getElementById('root')).render(<Shop />);
