CREATE TABLE directors (director_id INTEGER PRIMARY KEY, name TEXT, nationality TEXT, awards INTEGER);
CREATE TABLE films (film_id INTEGER PRIMARY KEY, title TEXT, style TEXT, minutes INTEGER, score REAL,
director_id INTEGER, FOREIGN KEY (director_id) REFERENCES directors(director_id));
CREATE TABLE screenings (screening_id INTEGER PRIMARY KEY, film_id INTEGER, weekday TEXT, viewers INTEGER,
ticket REAL, FOREIGN KEY (film_id) REFERENCES films(film_id));

INSERT INTO directors VALUES
(1, 'Agnes Roux', 'French', 6),
(2, 'Bento Salles', 'Brazilian', 4),
(3, 'Chiyo Mori', 'Japanese', 9),
(4, 'Dario Conti', 'Italian', 2),
(5, 'Eva Lund', 'Danish', 5),
(6, 'Felipe Couto', 'Brazilian', 1),
(7, 'Hanae Ito', 'Japanese', 3),
(8, 'Luc Marchand', 'French', 0),
(9, 'Rita Campos', 'Brazilian', 7);

INSERT INTO films VALUES
(1, 'Salt Wind', 'drama', 104, 7.8, 2),
(2, 'The Tin Clown', 'comedy', 92, 6.9, 4),
(3, 'Ashes in Kyoto', 'drama', 138, 8.9, 3),
(4, 'Moonlit Ferry', 'thriller', 117, 7.2, 1),
(5, 'Two Left Shoes', 'comedy', 88, 7.5, 1),
(6, 'Winter Bread', 'documentary', 71, 8.1, 5),
(7, 'The Ninth Door', 'thriller', 126, 6.4, 4),
(8, 'Backlands', 'documentary', 95, 8.4, 9),
(9, 'Carnival Thief', 'comedy', 99, 7.1, 9),
(10, 'Paper Crane', 'drama', 110, 8.6, 3),
(11, 'A Room for Ghosts', 'thriller', 101, 5.8, 7),
(12, 'The Long Harvest', 'drama', 152, 7.6, 9),
(13, 'Velvet Night', 'drama', 97, 6.6, 1),
(14, 'Lost Trains', 'documentary', 64, 7.0, 2);

INSERT INTO screenings VALUES
(1, 3, 'Friday', 84, 12.0),
(2, 1, 'Friday', 55, 10.0),
(3, 5, 'Sunday', 97, 9.5),
(4, 8, 'Thursday', 41, 8.0),
(5, 4, 'Saturday', 73, 12.5),
(6, 12, 'Thursday', 28, 8.5),
(7, 3, 'Saturday', 102, 13.0),
(8, 9, 'Sunday', 66, 9.0),
(9, 6, 'Thursday', 35, 7.5),
(10, 10, 'Friday', 61, 11.0),
(11, 2, 'Saturday', 58, 12.0),
(12, 7, 'Friday', 47, 10.5),
(13, 1, 'Sunday', 39, 9.5),
(14, 11, 'Friday', 70, 11.5),
(15, 3, 'Tuesday', 22, 6.0),
(16, 5, 'Saturday', 88, 12.0);
