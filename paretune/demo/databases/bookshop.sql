CREATE TABLE publishers (publisher_id INTEGER PRIMARY KEY, name TEXT, city TEXT, founded INTEGER);
CREATE TABLE novels (novel_id INTEGER PRIMARY KEY, title TEXT, language TEXT, rating REAL, price REAL, stock INTEGER,
publisher_id INTEGER, FOREIGN KEY (publisher_id) REFERENCES publishers(publisher_id));
CREATE TABLE purchases (purchase_id INTEGER PRIMARY KEY, novel_id INTEGER, buyer TEXT, amount INTEGER, year INTEGER,
FOREIGN KEY (novel_id) REFERENCES novels(novel_id));

INSERT INTO publishers VALUES
(1, 'Blue Heron', 'Berlin', 1961),
(2, 'Casa Verde', 'Salvador', 1974),
(3, 'Owl and Key', 'London', 1985),
(4, 'Ponte Vecchio', 'Rome', 1949),
(5, 'Jangada Press', 'Salvador', 2004),
(6, 'Le Phare', 'Paris', 1957),
(7, 'Sete Mares', 'Salvador', 1968),
(8, 'Quarry House', 'London', 1979),
(9, 'Nuova Alba', 'Rome', 2011);

INSERT INTO novels VALUES
(1, 'The Amber Gate', 'German', 7.4, 18.9, 7, 1),
(2, 'Night Ferry', 'French', 8.1, 14.5, 12, 6),
(3, 'River of Glass', 'English', 9.2, 22.0, 4, 3),
(4, 'The Last Alibi', 'French', 6.8, 15.9, 9, 6),
(5, 'Red Clay', 'Portuguese', 7.9, 13.2, 15, 2),
(6, 'Seven Lanterns', 'English', 8.6, 20.5, 6, 3),
(7, 'A Quiet Lagoon', 'Italian', 6.1, 11.9, 20, 4),
(8, 'Paper Moons', 'Italian', 5.7, 12.4, 11, 7),
(9, 'The Cold Witness', 'French', 7.7, 16.7, 3, 1),
(10, 'Beyond the Dunes', 'German', 7.0, 17.8, 8, 2),
(11, 'House of Rain', 'Portuguese', 8.3, 15.2, 10, 7),
(12, 'The Iron Orchard', 'English', 9.0, 24.9, 2, 8),
(13, 'Dust and Honey', 'Portuguese', 6.4, 10.5, 14, 2),
(14, 'Silent Platform', 'French', 8.8, 14.1, 5, 4);

INSERT INTO purchases VALUES
(1, 2, 'Otto', 1, 2021),
(2, 5, 'Priya', 3, 2021),
(3, 3, 'Otto', 2, 2022),
(4, 7, 'Quentin', 1, 2020),
(5, 4, 'Ruth', 2, 2022),
(6, 9, 'Otto', 1, 2023),
(7, 1, 'Stella', 4, 2023),
(8, 2, 'Ruth', 2, 2022),
(9, 11, 'Priya', 1, 2023),
(10, 6, 'Stella', 2, 2020),
(11, 2, 'Ulrich', 5, 2023),
(12, 8, 'Quentin', 6, 2021),
(13, 10, 'Priya', 2, 2022),
(14, 5, 'Ulrich', 1, 2022),
(15, 13, 'Otto', 3, 2023);
