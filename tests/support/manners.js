// What stands in a page that is open: read by manners.py, which says what it is for.

function structure() {
  const found = [], all = [...document.querySelectorAll('*')], told = (one) => one.outerHTML.slice(0, 120);
  const shown = (one) => one.checkVisibility?.({ visibilityProperty: true }) ?? one.offsetParent !== null;
  const ids = new Map();
  for (const one of all) if (one.id) ids.set(one.id, (ids.get(one.id) || 0) + 1);
  for (const [id, count] of ids) if (count > 1) found.push(`the id ${id} stands ${count} times`);
  for (const one of all) {
      for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-activedescendant', 'for'])
          for (const id of (one.getAttribute(name) || '').split(/\s+/).filter(Boolean))
              if (!ids.has(id)) found.push(`${name} leads to ${id}, which is not there: ${told(one)}`);
      const inside = { tab: 'tablist', option: 'listbox', listitem: 'list', radio: 'radiogroup' }[one.getAttribute('role')];
      if (inside && !one.closest(`[role=${inside}]`)) found.push(`a ${one.getAttribute('role')} outside of a ${inside}: ${told(one)}`);
      if (one.tabIndex > 0) found.push(`out of the order of the text: ${told(one)}`);
      if (one.tabIndex >= 0 && shown(one) && one.closest('[aria-hidden=true]')) found.push(`hidden, and has the focus: ${told(one)}`);
      if (one.tabIndex >= 0 && shown(one) && one.parentElement?.closest('button, a[href], [role=button]')) found.push(`a control in a control: ${told(one)}`);
      const scrolls = one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX);
      if (scrolls && shown(one) && one.tabIndex < 0 && !one.querySelector('a[href], button, input, select, [tabindex="0"]')) found.push(`no key scrolls it: ${told(one)}`);
  }
  if (!document.documentElement.lang) found.push('the language is not said');
  if (!document.title) found.push('there is no title');
  if (document.querySelectorAll('main').length !== 1) found.push('there is not one main');
  let level = 0;
  for (const one of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
      if (!shown(one)) continue;
      const own = Number(one.tagName[1]);
      if (own > level + 1) found.push(`a heading of level ${own} below one of ${level}: ${told(one)}`);
      level = own;
  }
  return found;
}

// Colour of each text, of what is behind it, and the text.
function texts() {
  const behind = (one) => {
      const layers = [];
      for (; one; one = one.parentElement) {
          const [r, g, b, a = 1] = getComputedStyle(one).backgroundColor.match(/[\d.]+/g).map(Number);
          layers.unshift([r, g, b, a]);
      }
      const over = (under, [r, g, b, a]) => [r, g, b].map((c, k) => Math.round(c * a + under[k] * (1 - a)));
      return layers.reduce(over, getComputedStyle(document.documentElement).colorScheme.includes('dark')
          && matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255]);
  };
  return [...document.querySelectorAll('main *, header *')].filter((one) =>
      one.offsetParent && !one.closest('svg, [aria-hidden=true]') && !one.disabled && getComputedStyle(one).opacity === '1' &&
      [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
  ).map((one) => [getComputedStyle(one).color, `rgb(${behind(one)})`, one.outerHTML.slice(0, 120)]);
}
