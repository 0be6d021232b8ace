CREATE TABLE readers (reader_id INTEGER PRIMARY KEY, name TEXT, city TEXT, age INTEGER);
CREATE TABLE items (item_id INTEGER PRIMARY KEY, title TEXT, kind TEXT, year INTEGER, shelf TEXT);
CREATE TABLE loans (loan_id INTEGER PRIMARY KEY, reader_id INTEGER, item_id INTEGER, month TEXT, days INTEGER,
fine REAL, FOREIGN KEY (reader_id) REFERENCES readers(reader_id),
FOREIGN KEY (item_id) REFERENCES items(item_id));

INSERT INTO readers VALUES
(1, 'Paulo', 'Porto', 52),
(2, 'Celia', 'Leeds', 47),
(3, 'Dario', 'Turin', 61),
(4, 'Helena', 'Porto', 45),
(5, 'Marta', 'Leeds', 19),
(6, 'Bruno', 'Porto', 34),
(7, 'Ronan', 'Cork', 21),
(8, 'Saskia', 'Leeds', 23),
(9, 'Tobias', 'Turin', 70),
(10, 'Vera', 'Porto', 31);

INSERT INTO items VALUES
(1, 'Salt Road', 'book', 1988, 'A'),
(2, 'Winter Harbour', 'book', 2004, 'B'),
(3, 'Clockmaker', 'book', 2011, 'A'),
(4, 'Night Train', 'film', 1999, 'C'),
(5, 'Paper Lanterns', 'film', 2015, 'C'),
(6, 'River Atlas', 'map', 1976, 'D'),
(7, 'Old Town', 'map', 2009, 'D'),
(8, 'Blue Hour', 'record', 1969, 'E'),
(9, 'Small Songs', 'record', 1992, 'E'),
(10, 'Iron Bridge', 'book', 1957, 'B'),
(11, 'Last Ferry', 'film', 2020, 'C'),
(12, 'Moss and Stone', 'book', 2018, 'A'),
(13, 'Quiet Snow', 'film', 2007, 'A'),
(14, 'Harbour Lights', 'record', 1984, 'B');

INSERT INTO loans VALUES
(1, 6, 2, 'March', 14, 0.0),
(2, 2, 4, 'March', 21, 1.5),
(3, 3, 13, 'March', 9, 0.0),
(4, 4, 4, 'March', 30, 4.0),
(5, 6, 1, 'April', 12, 0.0),
(6, 2, 11, 'April', 17, 0.5),
(7, 5, 3, 'April', 25, 2.5),
(8, 4, 9, 'April', 41, 7.0),
(9, 6, 4, 'April', 10, 0.0),
(10, 1, 5, 'May', 6, 0.0),
(11, 2, 2, 'May', 19, 1.0),
(12, 3, 12, 'May', 28, 3.0),
(13, 6, 11, 'May', 16, 0.0),
(14, 2, 4, 'May', 22, 2.0),
(15, 6, 7, 'May', 11, 0.0),
(16, 7, 8, 'June', 8, 0.0),
(17, 4, 3, 'June', 35, 5.5),
(18, 7, 5, 'June', 13, 0.75);
