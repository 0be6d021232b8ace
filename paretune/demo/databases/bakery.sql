CREATE TABLE bakers (baker_id INTEGER PRIMARY KEY, name TEXT, city TEXT, age INTEGER, salary INTEGER);
CREATE TABLE cakes (cake_id INTEGER PRIMARY KEY, name TEXT, flavor TEXT, price REAL, weight INTEGER,
baker_id INTEGER, FOREIGN KEY (baker_id) REFERENCES bakers(baker_id));
CREATE TABLE cake_orders (order_id INTEGER PRIMARY KEY, cake_id INTEGER, customer TEXT, quantity INTEGER, month TEXT,
FOREIGN KEY (cake_id) REFERENCES cakes(cake_id));

INSERT INTO bakers VALUES
(1, 'Ana Prado', 'Recife', 34, 2900),
(2, 'Bruno Sato', 'Recife', 51, 4100),
(3, 'Clara Voss', 'Lisbon', 28, 2400),
(4, 'Diego Luna', 'Porto', 45, 3650),
(5, 'Elif Kaya', 'Lisbon', 39, 3300),
(6, 'Farid Amin', 'Olinda', 57, 4400),
(7, 'Greta Holm', 'Porto', 31, 2750),
(8, 'Hugo Reis', 'Recife', 23, 1900),
(9, 'Ines Melo', 'Lisbon', 48, 3900),
(10, 'Jonas Weiss', 'Olinda', 36, 3100),
(11, 'Kira Novak', 'Recife', 42, 3450);

INSERT INTO cakes VALUES
(1, 'Black Forest', 'chocolate', 32.0, 1200, 2),
(2, 'Lemon Ring', 'lemon', 18.5, 800, 1),
(3, 'Honey Loaf', 'honey', 14.0, 650, 3),
(4, 'Carrot Delight', 'carrot', 21.0, 950, 4),
(5, 'Snow Cake', 'vanilla', 25.5, 1000, 2),
(6, 'Midnight Tart', 'chocolate', 16.0, 450, 5),
(7, 'Sunny Tart', 'lemon', 15.5, 480, 5),
(8, 'Royal Tower', 'vanilla', 60.0, 3200, 6),
(9, 'Bee Roll', 'honey', 12.5, 400, 3),
(10, 'Cocoa Roll', 'chocolate', 13.0, 420, 7),
(11, 'Garden Cake', 'carrot', 23.0, 1100, 1),
(12, 'Velvet Cake', 'vanilla', 28.0, 1250, 6),
(13, 'Truffle Tower', 'chocolate', 55.0, 2800, 2),
(14, 'Orange Cloud', 'orange', 19.0, 700, 9);

INSERT INTO cake_orders VALUES
(1, 1, 'Marta', 2, 'May'),
(2, 3, 'Paulo', 5, 'May'),
(3, 2, 'Marta', 1, 'June'),
(4, 8, 'Rosa', 1, 'June'),
(5, 6, 'Ivan', 12, 'April'),
(6, 7, 'Ivan', 10, 'April'),
(7, 1, 'Paulo', 3, 'June'),
(8, 5, 'Lena', 2, 'May'),
(9, 10, 'Rosa', 8, 'July'),
(10, 4, 'Lena', 4, 'July'),
(11, 13, 'Marta', 1, 'July'),
(12, 6, 'Paulo', 6, 'May'),
(13, 2, 'Tomas', 7, 'June'),
(14, 11, 'Tomas', 2, 'April'),
(15, 1, 'Rosa', 1, 'July'),
(16, 12, 'Ivan', 3, 'July'),
(17, 10, 'Rosa', 4, 'April');
