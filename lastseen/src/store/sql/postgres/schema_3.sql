-- Schema 3: whoever is taken away, be it ten thousand at once, is found without reading all who were active.

CREATE INDEX ON {active} (number);
